"""Groups of conflicts: every group excludes itself, every pair is in a group."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering.cliques import cover_conflicts


@given(data=st.data())
def test_groups_hold_every_pair_and_nothing_else(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    upper = np.triu(data.draw(arrays(np.bool_, (n, n))), k=1)
    rivals = upper | upper.T
    relevant = data.draw(arrays(np.bool_, n))
    conflicts = csr_array(rivals)

    indptr, members, is_complete = cover_conflicts(
        conflicts.indptr.astype(np.int64), conflicts.indices.astype(np.int32), relevant, 10_000
    )

    together = np.zeros((n, n), dtype=bool)
    for group in np.split(members, indptr[1:-1]) if indptr.size > 1 else []:
        assert group.size == np.unique(group).size >= 2
        together[np.ix_(group, group)] = True
    np.fill_diagonal(together, False)
    assert is_complete
    assert (together == rivals & relevant[:, None] & relevant).all()


def test_a_crowd_is_one_group() -> None:
    crowd = csr_array(~np.eye(50, dtype=bool))

    indptr, members, is_complete = cover_conflicts(
        crowd.indptr.astype(np.int64),
        crowd.indices.astype(np.int32),
        np.ones(50, dtype=bool),
        10_000,
    )

    assert is_complete
    assert indptr.tolist() == [0, 50]
    assert sorted(members.tolist()) == list(range(50))


def test_stops_at_the_most_members_and_says_so() -> None:
    near = KDTree(np.random.default_rng(0).random((200, 2))).sparse_distance_matrix
    spacing = csr_array(near(KDTree(np.random.default_rng(0).random((200, 2))), 0.1))
    spacing.sort_indices()
    relevant = np.ones(200, dtype=bool)
    arguments = spacing.indptr.astype(np.int64), spacing.indices.astype(np.int32), relevant

    indptr, members, is_complete = cover_conflicts(*arguments, 50)

    assert not is_complete
    assert indptr[-1] == members.size <= 50
    assert cover_conflicts(*arguments, 100_000)[2]
