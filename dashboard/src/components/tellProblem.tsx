// What went wrong with something that was asked for, as a notice that says as much as a panel would.

import { toast } from "sonner";
import type { Problem } from "@/api/generated/schema";
import { DEFINITION, useProblemWords, useServiceWords } from "@/i18n/words";
import { Advice } from "./Advice";
import { problemOf, RequestId } from "./states";

/** Long enough to read what to do about it. */
const SHOWN_MS = 12_000;

export function tellProblem(error: unknown): void {
  const problem = problemOf(error);
  toast.error(<ProblemTitle problem={problem} />, { description: <Details problem={problem} />, duration: SHOWN_MS });
}

/** What kind of problem it is. */
export function ProblemTitle({ problem }: { problem: Problem }) {
  return <>{useProblemWords(problem).title}</>;
}

function Details({ problem }: { problem: Problem }) {
  const { detail, suggestion } = useProblemWords(problem);
  const say = useServiceWords(DEFINITION);
  return (
    <div className="space-y-1">
      {detail && <p className="break-words">{detail}</p>}
      {(problem.errors ?? []).map((one, index) => (
        <p key={index} className="break-words">
          {[one.pointer ?? one.parameter, say(one.detail)].filter(Boolean).join("  ")}
        </p>
      ))}
      <Advice text={suggestion} />
      {problem.request_id && (
        // Its icon stands below the text.
        <div className="-ml-2">
          <RequestId problem={problem} />
        </div>
      )}
    </div>
  );
}
