// A long file as a job: handed in, asked after, its pages taken as they are done, and deleted at the end.

import { ServiceError, ask, complaintOf, opened } from "./http.js";

const PAUSES = { first: 200, longest: 1500 }; // milliseconds between two questions
const AT_ONCE = 10; // pages asked for in one question

const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });

// Follows an accepted job; gives the same `result` as a plain request, and by onPages() what there is of it in between.
export async function follow(job, { signal, onStep, onPages }) {
  const path = `jobs/${encodeURIComponent(job.result.jobId)}`;
  try {
    return await untilDone(path, { signal, onStep, onPages });
  } finally {
    // The file is of no more use to the service. Nobody waits for this, and what is not deleted expires.
    ask(path, "DELETE", new AbortController().signal).catch(() => {});
  }
}

async function untilDone(path, { signal, onStep, onPages }) {
  const found = new Map(); // pages that are done, by their number; some may be missing in between
  const pages = [];
  onStep("step-wait");
  for (let wait = PAUSES.first; ; wait = Math.min(PAUSES.longest, wait * 1.5)) {
    const told = opened(await ask(`${path}?first=${pages.length}&count=${AT_ONCE}`, "GET", signal)).result;
    for (const page of told.sealRecResults) found.set(page.pageIndex, page);
    const before = pages.length;
    while (found.has(pages.length)) pages.push(found.get(pages.length));
    const result = { sealRecResults: pages, dataInfo: dataInfo(told, pages) };
    if (told.state === "failed") throw new ServiceError("error-file", complaintOf(told));
    if (told.state === "done" && pages.length >= told.numPages) return result;
    if (told.numPages !== undefined) {
      const n = Math.min(told.numPages, pages.length + 1);
      onStep("step-pages", { n, all: told.numPages }, pages.length / told.numPages);
    }
    if (pages.length > before) {
      await onPages(result);
      wait = PAUSES.first;
    }
    if (pages.length < told.pagesDone) continue; // there are more to fetch
    await pause(wait, signal);
  }
}

function dataInfo({ type, numPages, totalPages }, pages) {
  return { type, numPages: numPages ?? pages.length, totalPages, pages: pages.map(({ width, height }) => ({ width, height })) };
}
