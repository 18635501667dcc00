// Parts of the program that are read when they are needed. The service may be away just then, or have become a newer one.

/** How soon a part is asked for again, in milliseconds; each time later, up to the last. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** Makes a reading wait until the service can be reached. A page whose service was replaced is loaded anew: its parts are gone. */
export function whenThere<Part>(read: () => Promise<Part>): () => Promise<Part> {
  return async () => {
    let isAnother = false;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await read();
      } catch (error) {
        const service = await look();
        if (service === "replaced") {
          window.location.reload();
          return new Promise(() => undefined);
        }
        // It may have come back between the two questions, but only once.
        if (service === "same" && isAnother) throw error;
        isAnother = service === "same";
        if (!isAnother) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };
}

/** Whether the service answers, and with the page that this one was loaded from. */
async function look(): Promise<"away" | "same" | "replaced"> {
  try {
    const answer = await fetch("/", { cache: "no-store", headers: { Accept: "text/html" } });
    if (!answer.ok) return "away";
    const own = document.querySelector("script[type=module][src]")?.getAttribute("src");
    return own && !(await answer.text()).includes(own) ? "replaced" : "same";
  } catch {
    return "away";
  }
}
