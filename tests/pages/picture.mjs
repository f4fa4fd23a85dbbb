// The picture in the README: the first wallet of `tillbox demo`, as a visitor sees it.
import { spawn } from "node:child_process";
import { enter, launch } from "./support/browser.mjs";

const demo = spawn(process.env.TILLBOX_BINARY, ["demo", "--listen", "127.0.0.1:0", "--no-open"], { stdio: ["pipe", "pipe", "inherit"] });
try {
  const link = await new Promise((resolve, reject) => {
    let said = "";
    demo.stdout.on("data", (some) => {
      said += some;
      const found = /http:\/\/\S+\/portal\/\S+/.exec(said);
      if (found) resolve(found[0]);
    });
    demo.on("exit", () => reject(new Error(`the demo ended: ${said}`)));
  });
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", colorScheme: "light" });
  const page = await context.newPage();
  await enter(page, link);
  await page.goto(page.url().replace(/[?&]told=[^&]*/, ""));
  await page.screenshot({ path: process.env.TILLBOX_PICTURE });
  await browser.close();
} finally {
  demo.kill("SIGTERM");
}
