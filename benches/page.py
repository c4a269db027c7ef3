#!/usr/bin/env python3
"""Size of the page of a plan of N resources, and how long a browser takes until it can be used.

    benches/page.py [--resources 10000] [--binary target/release/brickform] [--browser chromium]

Everything is to be created, so every resource is in the page with all its fields. Fails above 5 MB or 2 s.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent


def ready(browser, page, folder):
    """Milliseconds from the start of the page until its script is done, as the page itself measures them; and of the whole process."""
    begun = time.monotonic()
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={folder}", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )
    wall = (time.monotonic() - begun) * 1000
    assert "data-error=" not in done.stdout, done.stderr[-2000:]
    return int(re.search(r'data-ready="(\d+)"', done.stdout)[1]), wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resources", type=int, default=10_000)
    parser.add_argument("--binary", default=str(TOP / "target/release/brickform"))
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        subprocess.run([sys.executable, TOP / "benches/generate.py", work, "--resources", str(given.resources)], check=True)
        binary = str(pathlib.Path(given.binary).resolve())
        subprocess.run([binary, "plan", "--env", "local", "--quiet", "--report", "html=plan.html"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        page = work / "plan.html"
        size = page.stat().st_size
        runs = [ready(given.browser, page, work / f"home{n}") for n in range(given.times)]
        millis = sorted(r[0] for r in runs)[len(runs) // 2]
        wall = sorted(r[1] for r in runs)[len(runs) // 2]
        print(f"{given.resources} resources: {size / 1e6:.2f} MB, ready after {millis} ms (browser from start to end {wall:.0f} ms), median of {given.times}")
        if size > 5_000_000 or millis > 2_000:
            sys.exit("too large, or too slow")


if __name__ == "__main__":
    main()
