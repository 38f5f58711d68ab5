// Reads the seals of one file through the service: node client.js FILE [URL]. Needs Node.js 18 or newer and nothing else.
const fs = require("node:fs");

async function read(path, url) {
  const body = {
    file: fs.readFileSync(path).toString("base64"),
    fileType: path.toLowerCase().endsWith(".pdf") ? 0 : 1,
    visualize: false, // no pictures are wanted
  };
  const answer = await fetch(`${url}/seal-recognition`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(120_000),
  });
  // The service says in JSON why it refused; a proxy before it may not.
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  return (await answer.json()).result;
}

async function main([path, url = "http://localhost:8080"]) {
  if (path === undefined) throw new Error("usage: node client.js FILE [URL]");
  const { sealRecResults } = await read(path, url);
  sealRecResults.forEach(({ prunedResult }, page) => {
    for (const seal of prunedResult.seals) {
      for (const line of seal.lines) {
        console.log(`page ${page + 1}, seal ${seal.region_id}, ${line.score.toFixed(2)}: ${line.text}`);
      }
    }
  });
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.cause === undefined ? error.message : `${error.message}: ${error.cause.message}`);
  process.exitCode = 1;
});
