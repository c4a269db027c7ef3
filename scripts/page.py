"""Looks at the page of a plan in a headless browser: axe-core finds nothing, at two widths, light and dark, for one environment
and for several; `--pictures FOLDER` keeps what was seen.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from forms import Shop  # noqa: E402

MORE = """\
catalogs:
  shop: { name: shop, comment: Everything that is sold }
directories:
  raw: { path: /Shared/raw }
queries:
  orders:
    display_name: Orders by customer
    warehouse_id: "${warehouses.bi.id}"
    query_text: |
      SELECT customer, sum(amount) AS total
      FROM main.silver.orders
      WHERE day >= current_date() - 7
      GROUP BY customer
      ORDER BY total DESC
      LIMIT 10
"""


def platform(shop):
    """Something of everything: drift, what is merged and not applied, what this branch changes, what is lost and blocked."""
    shop.write("conf/more.yaml", MORE)
    shop.commit()
    shop.run("apply --env dev --yes", 0)
    jobs = json.loads(shop.run("output --env dev -o json", 0))["resources"]
    shop.change("/api/2.2/jobs/update", {"job_id": int(jobs["jobs.nightly"]["id"]), "new_settings": {"max_concurrent_runs": 7}})
    shop.edit("conf/all.yaml", "auto_stop_mins: 10", "auto_stop_mins: 30")
    shop.commit()
    shop.git("checkout", "-q", "-b", "mine")
    shop.edit("conf/more.yaml", "current_date() - 7", "current_date() - 30")
    shop.edit("conf/more.yaml", "SELECT customer, sum(amount)", "SELECT customer_id, sum(net_amount)")
    shop.edit("conf/more.yaml", "GROUP BY customer\n", "GROUP BY ALL\n")
    shop.edit("conf/all.yaml", "schemas:\n", "#\n")
    shop.edit("conf/all.yaml", "  landing:", "#  landing:")
    shop.write("conf/new.yaml", "directories: { landing: { path: /Shared/landing } }\njobs: { loads: { name: loads, tags: { team: data }, tasks: [] } }\n")
    shop.commit()


def opened(browser, page, home, width, dark, *more):
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=10000", f"--window-size={width},2200",
         f"--user-data-dir={home}", *(["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]), *more, page],
        capture_output=True, text=True, timeout=120, check=True,
    )
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--axe", help="axe.min.js of axe-core")
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--pictures", type=pathlib.Path)
    tools = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shop = Shop(str(pathlib.Path(tools.binary).resolve()), work)
        try:
            platform(shop)
            shop.run("plan --env dev --base main --report html=../one.html --report markdown=../one.md", 6)
            shop.run("plan --env dev,prod-* --report html=../all.html --report markdown=../all.md", 6)
        finally:
            shop.serving.terminate()
            shop.serving.wait()
        checked = 0
        for name in ("one", "all"):
            page = shop.top / f"{name}.html"
            if tools.axe:
                # The page lets nothing run but its own script: the copy that is looked at has that rule taken out.
                text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
                axe = pathlib.Path(tools.axe).read_text().replace("</script", "<\\/script")
                look = "axe.run().then((r) => { document.documentElement.dataset.axe = JSON.stringify(r.violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))])); });"
                (work / f"{name}-axe.html").write_text(text.replace("</body>", f"<script>{axe}</script><script>{look}</script></body>"))
            for width in (1280, 390):
                for dark in (False, True):
                    home = work / f"home-{name}-{width}-{dark}"
                    if tools.axe:
                        dom = opened(tools.browser, (work / f"{name}-axe.html").as_uri(), home, width, dark, "--dump-dom")
                        found = re.search(r'data-axe="([^"]*)"', dom)
                        assert found, "axe did not come to its end"
                        assert found[1] == "[]", f"{name}, {width} px, {'dark' if dark else 'light'}: {found[1].replace('&quot;', '')}"
                        checked += 1
                    if tools.pictures:
                        tools.pictures.mkdir(parents=True, exist_ok=True)
                        tone = "-dark" if dark else ""
                        opened(tools.browser, page.as_uri(), home, width, dark, f"--screenshot={tools.pictures / f'{name}-{width}{tone}.png'}")
            if tools.pictures:
                (tools.pictures / f"{name}.md").write_text((shop.top / f"{name}.md").read_text())
                (tools.pictures / f"{name}.html").write_text(page.read_text())
    print(f"{checked} pages: axe-core finds nothing" if tools.axe else "without axe-core nothing was checked")


if __name__ == "__main__":
    main()
