"""A command ends at once, but not before what asked to run at its end has run."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
sys.modules["torch"] = sys
atexit.register(lambda: print("at exit", flush=True))
class Slow:
    def __del__(self): print("torn down", flush=True)
kept = Slow()
kept.self = kept
{thread}
from grue.cli.leaving import leave
sys.stdout.write("said ")
leave({code})
"""


def end(code: int, thread: str = "") -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(code=code, thread=thread)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_ends_with_its_code_after_the_exit_functions_and_all_output(code: int) -> None:
    ended = end(code)

    assert (ended.returncode, ended.stdout) == (code, "said at exit\n")


def test_work_in_a_thread_is_waited_for() -> None:
    thread = "threading.Thread(target=lambda: (time.sleep(0.5), print('written', flush=True))).start()"

    ended = end(0, thread)

    assert ended.returncode == 0
    assert "written" in ended.stdout


def test_a_reader_that_has_gone_costs_no_traceback_of_ours() -> None:
    program = PROGRAM.format(code=0, thread="sys.stdout.write('x' * 10)")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert b"leave" not in said
