"""Damage input files in thousands of ways, and see that every reader reads or refuses them.

    python benchmarks/fuzz.py --cases 20000

Each case takes a good file, changes it (bytes, numbers, words, members of an archive) and gives it
to the reader of its kind. Right is a result, or one of the library's own errors in one line. Wrong
is any other exception, a message of several lines, a crash, more than ten seconds, or more than
1 GiB. A case depends on the seed and its number alone: `--case N` runs one again and shows all of
what happened. The exit code is 1 if any case went wrong.
"""

import argparse
import io
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz_files import Kind, kinds, make_files

MOST_SECONDS = 10.0
MOST_BYTES = 1 << 30
STARTING_SECONDS = 300.0
"""How much longer a case may take until its process is ended: the first waits for the library."""
RIGHT = ("read", "refused")

NASTY_BYTES = (b"\0", b"\xff", b"\n", b'"', b",", b"\x80\x80", b"\xef\xbb\xbf", b"\x1b[2J", b"\r")
NASTY_NUMBERS = (
    *(b"0", b"-1", b"-0.0", b"1e308", b"1e999", b"-1e999", b"nan", b"inf", b".inf", b"-.inf"),
    *(b"9223372036854775808", b"4294967296", b"65536", b"255", b"0x7f", b"1e-320", b"99" * 40),
    *(b"9" * 5000, b"1_000", b"2024-13-01", b"true", b"null", b"[]", b"{}"),
)
NASTY_WORDS = (
    *("", "/dev/zero", "/dev/stdin", "..", ".", "a\0b", "v" * 300, "{{7*7}}", "{# 1", "*a", "&a 1"),
    *("!!python/object:os.system", "\u2028", "\u202e", "=1+1", "</script>", "'", '"', "\\", "#"),
    *("[" * 2000, "{" * 2000, "- " * 2000, "a: " * 500, "/vsicurl/http://127.0.0.1:9/a.tif", "[[["),
)
NUMBERS = frozenset(b"0123456789.-+eE")
MOST_BYTES_OF_A_CASE = 4_000_000


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file's bytes with one to four changes."""
    if content[:2] == b"PK" and rng.random() < 0.7:
        return _damaged_member(content, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(CHANGES)(content, rng)[:MOST_BYTES_OF_A_CASE]
    return content


def _damaged_member(archive: bytes, rng: random.Random) -> bytes:
    """Return an archive one of whose members is damaged, and packed again."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(packed, "w", 8) as new:
        names = old.namelist()
        chosen = rng.choice(names)
        for name in names:
            member = old.read(name)
            if name == chosen:
                if rng.random() < 0.1:
                    continue
                member = rng.choice(CHANGES)(member, rng)
            new.writestr(name, member)
    return packed.getvalue()


def _place(content: bytes, rng: random.Random) -> int:
    """Return a position, half the time near the start, where headers stand."""
    span = min(len(content), 512) if rng.random() < 0.5 else len(content)
    return rng.randrange(span) if span else 0


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 8))):
        if changed:
            changed[_place(content, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set_bytes(content: bytes, rng: random.Random) -> bytes:
    at, length = _place(content, rng), rng.choice((1, 2, 4, 8))
    return (
        content[:at] + bytes([rng.choice((0, 1, 127, 128, 255))]) * length + content[at + length :]
    )


def _cut_off(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _leave_out(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + content[at + rng.choice((1, 4, 64, 1024)) :]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    part = content[at : at + rng.choice((1, 16, 256, 4096))]
    return content[:at] + part * rng.choice((2, 3, 50, 1000)) + content[at:]


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.choice(NASTY_BYTES) * rng.choice((1, 1, 100)) + content[at:]


def _change_number(content: bytes, rng: random.Random) -> bytes:
    """Put an extreme number in the place of one that is written as text."""
    start = _place(content, rng)
    while start < len(content) and content[start] not in NUMBERS:
        start += 1
    end = start
    while end < len(content) and content[end] in NUMBERS:
        end += 1
    return content[:start] + rng.choice(NASTY_NUMBERS) + content[end:]


def _change_word(content: bytes, rng: random.Random) -> bytes:
    """Put a nasty text in the place of a word or of what stands between quotation marks."""
    start = _place(content, rng)
    stops = b'"' if rng.random() < 0.5 else b'",:;<>=[]{} \n\t'
    while start < len(content) and content[start] not in stops:
        start += 1
    end = start + 1
    while end < len(content) and content[end] not in stops:
        end += 1
    return content[: start + 1] + rng.choice(NASTY_WORDS).encode() + content[end:]


def _swap_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _encode_again(content: bytes, rng: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "gb18030", "utf-8-sig", "utf-32")), "replace")


CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _set_bytes, _cut_off, _leave_out, _repeat, _insert),
    *(_change_number, _change_number, _change_word, _change_word, _swap_lines, _encode_again),
)


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    case: int
    kind: str
    verdict: str
    said: str = ""
    seconds: float = 0.0
    n_bytes: int = 0


def lay_out(good: Path, folder: Path) -> None:
    """Copy the good files to a folder, in the place of what an earlier case left there."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)


def prepare(case: int, seed: int, good: Path, folder: Path) -> tuple[Kind, Path]:
    """Lay out the files of one case, one of them damaged; return its kind and what to read."""
    rng = random.Random(f"{seed}:{case}")
    of_all = kinds()
    kind = of_all[case % len(of_all)]
    lay_out(good, folder)
    part = folder / rng.choice(kind.files)
    part.write_bytes(damaged(part.read_bytes(), rng))
    return kind, folder / kind.files[0]


def judge(case: int, seed: int, good: Path, folder: Path) -> Outcome:
    """Run one case in this process, and say what became of it."""
    from ankang_coverage.errors import AnkangCoverageError

    kind, file = prepare(case, seed, good, folder)
    _forget_peak()
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind.read(file)
        verdict, said = "read", ""
    except AnkangCoverageError as error:
        said = str(error)
        one_line = len(said.splitlines()) == 1 and "pydantic.dev" not in said
        verdict = "refused" if one_line and len(said) < 2000 else "several lines"
    except Exception as error:
        verdict, said = type(error).__name__, "".join(traceback.format_exception(error)[-3:])
    seconds, n_bytes = time.perf_counter() - start, _peak_bytes()
    if seconds > MOST_SECONDS:
        verdict = "too slow"
    elif n_bytes > MOST_BYTES:
        verdict = "too large"
    return Outcome(case, kind.name, verdict, said, seconds, n_bytes)


def _forget_peak() -> None:
    """Begin to measure the largest memory of this process anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_bytes() -> int:
    """Return the largest resident memory since `_forget_peak`; elsewhere, of the process's life."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _work(channel: Connection, seed: int, good: Path, folder: Path) -> None:
    """Judge the cases that come through a channel; libraries' own output goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    # What is imported and compiled when first used counts for no case.
    lay_out(good, folder)
    for kind in kinds():
        kind.read(folder / kind.files[0])
    while (case := channel.recv()) is not None:
        channel.send(judge(case, seed, good, folder))


class Worker:
    """A process that judges one case after another, and is replaced if one ends or hangs it."""

    def __init__(self, seed: int, good: Path, folder: Path) -> None:
        self._task = (seed, good, folder)
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, *self._task), daemon=True)
        self._process.start()
        theirs.close()
        self.case: int | None = None

    def give(self, case: int) -> None:
        """Begin a case."""
        self.case, self._since = case, time.monotonic()
        self.channel.send(case)

    def outcome(self) -> Outcome | None:
        """Return what became of the case; None while it runs."""
        assert self.case is not None
        kind = kinds()[self.case % len(kinds())].name
        try:
            if self.channel.poll(0.002):
                found = self.channel.recv()
                self.case = None
                return found
        except (EOFError, ConnectionResetError):  # the latter if it has not even read its case
            self._process.join()
            lost = Outcome(self.case, kind, "crashed", f"exit code {self._process.exitcode}")
            self._start()
            return lost
        if time.monotonic() - self._since > MOST_SECONDS + STARTING_SECONDS:
            self._process.kill()
            lost = Outcome(self.case, kind, "hung")
            self._start()
            return lost
        return None

    def end(self) -> None:
        """End the process."""
        self._process.kill()


def run(cases: range, seed: int, workers: int) -> Iterator[Outcome]:
    """Judge cases in several processes, in any order."""
    with tempfile.TemporaryDirectory() as folder:
        good = Path(folder, "good")
        good.mkdir()
        make_files(good)
        crew = [Worker(seed, good, Path(folder, f"case-{n}")) for n in range(workers)]
        try:
            left = iter(cases)
            for worker in crew:
                if (case := next(left, None)) is not None:
                    worker.give(case)
            while any(worker.case is not None for worker in crew):
                for worker in crew:
                    if worker.case is None or (found := worker.outcome()) is None:
                        continue
                    yield found
                    if (case := next(left, None)) is not None:
                        worker.give(case)
        finally:
            for worker in crew:
                worker.end()


def report(outcomes: list[Outcome], seconds: float) -> str:
    """Return the figures of a run, and the first cases of each fault."""
    lines = [f"{len(outcomes):,} cases in {seconds:.0f} s"]
    for kind in kinds():
        of_kind = [one for one in outcomes if one.kind == kind.name]
        if of_kind:
            counts = Counter(one.verdict for one in of_kind)
            lines.append(
                f"{kind.name:18} {len(of_kind):6} "
                f"{', '.join(f'{name} {n}' for name, n in sorted(counts.items()))}; longest "
                f"{max(one.seconds for one in of_kind):.2f} s, largest "
                f"{max(one.n_bytes for one in of_kind) / 2**20:.0f} MiB"
            )
    wrong = [one for one in outcomes if one.verdict not in RIGHT]
    lines.append(f"wrong: {len(wrong)}")
    lines += [
        f"case {one.case}, {one.kind}: {one.verdict}: {one.said.strip()[-600:]}"
        for one in sorted(wrong, key=lambda one: one.case)[:40]
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the cases asked for; 1 if any went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", type=int, help="run this one here, and show what happens")
    chosen = parser.parse_args()
    if chosen.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            good = Path(folder, "good")
            good.mkdir()
            make_files(good)
            one = judge(chosen.case, chosen.seed, good, Path(folder, "case"))
        print(
            f"{one.kind}: {one.verdict} in {one.seconds:.2f} s, {one.n_bytes:,} bytes\n{one.said}"
        )
        return int(one.verdict not in RIGHT)
    start = time.perf_counter()
    outcomes = list(
        run(range(chosen.first, chosen.first + chosen.cases), chosen.seed, chosen.workers)
    )
    print(report(outcomes, time.perf_counter() - start))
    return int(any(one.verdict not in RIGHT for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
