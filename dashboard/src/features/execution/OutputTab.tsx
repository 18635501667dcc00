import { CornerDownRight, LoaderCircle } from "lucide-react";
import { Fragment } from "react";
import { isTerminal } from "@/api/executions";
import type { ExecutionDetail } from "@/api/generated/schema";
import { Card, CardHead } from "@/components/Card";
import { JsonView } from "@/components/JsonView";
import { useLanguage } from "@/i18n/language";
import { useStreamedOutput } from "@/live/useLive";
import { OtherInput } from "./OtherInput";
import { partsOf } from "./parts";
import { nameOf } from "./timeline";

export default function OutputTab({ execution }: { execution: ExecutionDetail }) {
  const { t } = useLanguage();
  const isTest = execution.execution_type === "agent_test";
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card className="overflow-hidden">
        <CardHead title={t("output.input")}>
          <OtherInput execution={execution} />
        </CardHead>
        <div className="p-4">
          <JsonView value={isTest ? (execution.test_input ?? "") : execution.input} name="input" isProse={isTest} />
        </div>
      </Card>
      <Card className="overflow-hidden">
        <CardHead title={t("output.output")} />
        <div className="p-4">
          <Answer execution={execution} />
        </div>
      </Card>
    </div>
  );
}

/** The result, or what is being answered until it is there. */
export function Answer({ execution }: { execution: ExecutionDetail }) {
  const { t } = useLanguage();
  const streamed = Object.entries(useStreamedOutput(execution.id));
  const isTest = execution.execution_type === "agent_test";
  const output = isTest ? (execution.test_output ?? execution.output) : execution.output;
  // A long answer comes with a reading, a moment after the end; an agent always answers something.
  const isComing = execution.status === "succeeded" && isTest && output == null && streamed.length > 0;
  if (execution.status === "succeeded" && output !== undefined && !isComing)
    return <JsonView value={output} name="output" isProse={isTest} />;
  if (isTerminal(execution.status) && !isComing) {
    return <p className="text-ink-soft">{t(execution.status === "failed" ? "output.failed" : "output.none")}</p>;
  }
  if (streamed.length === 0) {
    return (
      <p className="flex items-center gap-2 text-ink-soft">
        <LoaderCircle className="size-4 animate-spin" aria-hidden />
        {t("output.pending")}
      </p>
    );
  }
  return (
    // Not told while it grows: it would be read from its beginning with every piece.
    <div className="space-y-3">
      {streamed.map(([path, { task, text, gaps }]) => (
        <div key={path}>
          {streamed.length > 1 && (
            <p className="mb-1 flex items-center gap-1 text-ink-faint text-xs">
              <CornerDownRight className="size-3" aria-hidden />
              {nameOf(task)}
            </p>
          )}
          {gaps.length > 0 && (
            <p className="mb-1 text-ink-soft text-xs">
              {t(gaps[0] === 0 ? "output.beginningMissing" : "output.partMissing")}
            </p>
          )}
          <div className="whitespace-pre-wrap break-words rounded-lg border bg-sunken p-3">
            {partsOf(text, gaps).map((part, index) => (
              <Fragment key={index}>
                {part === undefined ? <span className="text-ink-faint">{index === 0 ? "… " : " … "}</span> : part}
              </Fragment>
            ))}
            <span
              aria-hidden
              className="ml-0.5 inline-block h-4 w-1.5 animate-pulse rounded-sm bg-accent align-text-bottom"
            />
          </div>
        </div>
      ))}
    </div>
  );
}
