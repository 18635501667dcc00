import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronRight, Play } from "lucide-react";
import { useMemo, useState } from "react";
import { toast } from "sonner";
import { executionDetail, startExecution } from "@/api/executions";
import type { WorkflowDetail } from "@/api/generated/schema";
import { fullName } from "@/api/workflows";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView, SkeletonRows } from "@/components/states";
import { type LimitTexts, limitsOf } from "@/features/budget/budget";
import { LimitFields } from "@/features/budget/LimitFields";
import { PrioritySelect } from "@/features/executions/PrioritySelect";
import { labelsOf } from "@/features/executions/search";
import { useLanguage } from "@/i18n/language";
import { expectEnd } from "@/live/notices";
import { type Field, type FieldProblem, fieldsOf, inputOf, inputSchema, isSentEmpty, textsOf } from "./form";
import { PreflightWarning } from "./Preflight";

export function RunDialog({
  workflow,
  isOpen,
  like,
  onClose,
}: {
  workflow: WorkflowDetail;
  isOpen: boolean;
  /** An execution whose input is there to begin with. */
  like?: string;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t("run.title", { name: fullName(workflow) })} isWide>
      {like ? (
        <RunFormLike id={like} workflow={workflow} onClose={onClose} />
      ) : (
        <RunForm workflow={workflow} onClose={onClose} />
      )}
    </Dialog>
  );
}

function RunFormLike({ id, workflow, onClose }: { id: string; workflow: WorkflowDetail; onClose: () => void }) {
  const { data, error, refetch } = useQuery(executionDetail(id));
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonRows count={3} />;
  return <RunForm workflow={workflow} input={data.input} onClose={onClose} />;
}

function RunForm({ workflow, input, onClose }: { workflow: WorkflowDetail; input?: unknown; onClose: () => void }) {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const fields = useMemo(() => {
    const schema = inputSchema(workflow.definition);
    return schema && fieldsOf(schema);
  }, [workflow]);
  const [first] = useState(() => (fields && input !== undefined ? textsOf(fields, input) : {}));
  const [isJson, setJson] = useState(!fields || !first);
  const [texts, setTexts] = useState<Record<string, string>>(first ?? {});
  const [json, setJsonText] = useState(() => JSON.stringify(input ?? {}, null, 2));
  const [priority, setPriority] = useState(5);
  const [labels, setLabels] = useState("");
  const [limitTexts, setLimitTexts] = useState<LimitTexts>({});
  const [isTried, setTried] = useState(false);
  const { limits, wrong } = limitsOf(limitTexts);
  const filled = useMemo(() => inputOf(fields ?? [], texts), [fields, texts]);
  const parsed = useMemo(() => parseJson(json), [json]);
  const run = useMutation({
    mutationFn: (input: unknown) =>
      startExecution({
        workflow_id: workflow.id,
        input,
        priority,
        labels: labelsOf(labels),
        budget: Object.keys(limits).length > 0 ? limits : undefined,
      }),
    onSuccess({ id }) {
      expectEnd(id);
      toast.success(t("execution.started"));
    },
  });
  const problems = isJson ? {} : filled.problems;
  const submit = () => {
    setTried(true);
    if (wrong.length > 0 || (isJson ? parsed === undefined : Object.keys(problems).length > 0)) return;
    run.mutate(isJson ? parsed?.value : filled.value, {
      // Whoever has closed the dialog meanwhile stays where they are.
      onSuccess({ id }) {
        onClose();
        void navigate({ to: "/executions/$id", params: { id } });
      },
    });
  };
  // What was written as JSON is not lost on the way back to the form: there is none when the form cannot show it.
  const asForm = useMemo(() => textsOf(fields ?? [], parsed?.value), [fields, parsed]);
  const toggle = () => {
    if (!isJson) setJsonText(JSON.stringify(filled.value, null, 2));
    else if (asForm) setTexts(asForm);
    setJson(!isJson);
  };
  return (
    <form
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {isJson || !fields ? (
        <label className="block">
          <span className="font-medium">{t("run.input")}</span>
          <textarea
            value={json}
            onChange={(event) => setJsonText(event.target.value)}
            rows={10}
            spellCheck={false}
            aria-invalid={isTried && parsed === undefined}
            className="field mt-1 h-auto w-full py-2 font-mono text-[13px]"
          />
          {parsed === undefined && <span className="mt-1 block text-[13px] text-danger">{t("run.problem.json")}</span>}
        </label>
      ) : (
        fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={texts[field.name] ?? field.initial}
            problem={isTried ? problems[field.name] : undefined}
            onChange={(text) => setTexts((old) => ({ ...old, [field.name]: text }))}
          />
        ))
      )}
      <details className="group rounded-lg border">
        <summary className="flex list-none items-center gap-1.5 rounded-lg px-3 py-2 font-medium hover:bg-sunken [&::-webkit-details-marker]:hidden">
          <ChevronRight className="size-4 text-ink-faint transition-transform group-open:rotate-90" aria-hidden />
          {t("run.more")}
        </summary>
        <div className="space-y-4 border-t p-3">
          <div className="grid gap-3 sm:grid-cols-[auto_minmax(0,1fr)]">
            <Line label={t("run.priority")}>
              <PrioritySelect value={priority} onChange={setPriority} />
            </Line>
            <Line label={t("executions.labels")}>
              <input
                value={labels}
                onChange={(event) => setLabels(event.target.value)}
                placeholder={t("run.labelsHint")}
                className="field mt-1 w-full"
              />
            </Line>
          </div>
          <fieldset>
            <legend className="font-medium">{t("budget.title")}</legend>
            <p className="mb-2 text-[13px] text-ink-soft">{t("budget.hint")}</p>
            <LimitFields texts={limitTexts} wrong={wrong} onChange={setLimitTexts} />
          </fieldset>
        </div>
      </details>
      <PreflightWarning workflowId={workflow.id} />
      {run.error && <ProblemView error={run.error} />}
      <DialogEnd>
        {fields && (
          <Button look="quiet" disabled={isJson && !asForm} onClick={toggle} className="-ml-3">
            {t(isJson ? "run.asForm" : "run.asJson")}
          </Button>
        )}
        <Button type="submit" look="primary" icon={Play} isBusy={run.isPending} className="ml-auto">
          {t("run.run")}
        </Button>
      </DialogEnd>
    </form>
  );
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function FieldInput({
  field,
  value,
  problem,
  onChange,
}: {
  field: Field;
  value: string;
  problem?: FieldProblem;
  onChange: (text: string) => void;
}) {
  const { t } = useLanguage();
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the input below
    <label className="block">
      <span className="font-medium">
        {field.title}
        {field.isRequired && <span className="text-danger"> *</span>}
      </span>
      {field.description && <span className="block text-[13px] text-ink-soft">{field.description}</span>}
      <Input field={field} value={value} isWrong={problem !== undefined} onChange={onChange} />
      {!problem && isSentEmpty(field, value) && (
        <span className="mt-1 block text-[13px] text-ink-soft">{t("run.sentEmpty")}</span>
      )}
      {problem && (
        <span className="mt-1 block text-[13px] text-danger">
          {t(`run.problem.${problem}`, { count: field.minLength, range: rangeOf(field) })}
        </span>
      )}
    </label>
  );
}

function Input({
  field,
  value,
  isWrong,
  onChange,
}: {
  field: Field;
  value: string;
  isWrong: boolean;
  onChange: (text: string) => void;
}) {
  const { t } = useLanguage();
  const common = {
    value,
    "aria-invalid": isWrong,
    "aria-required": field.isRequired,
    className: "field mt-1 w-full",
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (field.kind) {
    case "choice":
      return (
        <select {...common}>
          <option value="">{t("run.unset")}</option>
          {field.options.map((option) => (
            <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
              {String(option)}
            </option>
          ))}
        </select>
      );
    case "boolean":
      return (
        <select {...common}>
          <option value="">{t("run.unset")}</option>
          <option value="true">{t("run.yes")}</option>
          <option value="false">{t("run.no")}</option>
        </select>
      );
    case "long":
    case "json":
      return (
        <textarea
          {...common}
          rows={field.kind === "json" ? 4 : 5}
          maxLength={field.maxLength}
          placeholder={field.kind === "json" ? "JSON" : undefined}
          className={`${common.className} h-auto py-2 ${field.kind === "json" ? "font-mono text-[13px]" : ""}`}
        />
      );
    case "number":
    case "integer":
      return <input {...common} inputMode="decimal" placeholder={rangeOf(field)} />;
    case "text":
      return <input {...common} maxLength={field.maxLength} />;
  }
}

function rangeOf(field: Field): string | undefined {
  if (field.minimum === undefined && field.maximum === undefined) return undefined;
  return `${field.minimum ?? "…"} – ${field.maximum ?? "…"}`;
}
