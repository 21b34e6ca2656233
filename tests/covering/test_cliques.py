"""Groups of conflicts: every group excludes itself, every pair is in a group."""

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from ankang_coverage.covering.cliques import cover_conflicts
from ankang_coverage.covering.reading import read_conflicts


@given(data=st.data())
def test_groups_hold_every_pair_and_nothing_else(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    upper = np.triu(data.draw(arrays(np.bool_, (n, n))), k=1)
    rivals = upper | upper.T
    relevant = data.draw(arrays(np.bool_, n))

    groups, is_complete = cover_conflicts(read_conflicts(csr_array(rivals), n), relevant, 10_000)

    together = np.zeros((n, n), dtype=bool)
    for group in groups:
        assert group.size == np.unique(group).size >= 2
        together[np.ix_(group, group)] = True
    np.fill_diagonal(together, False)
    assert is_complete
    assert (together == rivals & relevant[:, None] & relevant).all()


def test_a_crowd_is_one_group() -> None:
    crowd = read_conflicts(csr_array(~np.eye(50, dtype=bool)), 50)

    groups, is_complete = cover_conflicts(crowd, np.ones(50, dtype=bool), 10_000)

    assert is_complete
    assert [sorted(group.tolist()) for group in groups] == [list(range(50))]


def test_stops_at_the_most_members_and_says_so() -> None:
    tree = KDTree(np.random.default_rng(0).random((200, 2)))
    spacing = read_conflicts(csr_array(tree.sparse_distance_matrix(tree, 0.1)), 200)
    relevant = np.ones(200, dtype=bool)

    groups, is_complete = cover_conflicts(spacing, relevant, 50)

    assert not is_complete
    assert groups.indices.size <= 50
    assert cover_conflicts(spacing, relevant, 100_000)[1]
