// Another place in the queue and other labels, for an execution that is there already.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useRef, useState } from "react";
import { toast } from "sonner";
import { changeExecution, executionKeys } from "@/api/executions";
import { queueView } from "@/api/queue";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";
import { useLanguage } from "@/i18n/language";
import { isSame, type LabelLine, type LabelProblem, labelsOfLines, linesOf, MAX_LABELS } from "./labels";
import { PrioritySelect } from "./PrioritySelect";

export interface Changeable {
  id: string;
  /** Absent when it does not wait for its first slot any more: then there is nothing to be first at. */
  priority?: number;
  labels: Readonly<Record<string, string>>;
}

export function ChangeDialog({
  execution,
  isOpen,
  onClose,
}: {
  execution: Changeable;
  isOpen: boolean;
  onClose: () => void;
}) {
  const { t } = useLanguage();
  const title = t(execution.priority === undefined ? "change.labels" : "change.title");
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title}>
      <Form execution={execution} onClose={onClose} />
    </Dialog>
  );
}

function Form({ execution, onClose }: { execution: Changeable; onClose: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  // What it was when the dialog was opened: what changes meanwhile is not undone by whoever did not mean it.
  const [before] = useState(execution);
  const [priority, setPriority] = useState(before.priority);
  const [lines, setLines] = useState(() => withOne(linesOf(before.labels)));
  const [isTried, setTried] = useState(false);
  const { labels, problems } = labelsOfLines(lines);
  const change = {
    priority: priority === before.priority ? undefined : priority,
    labels: isSame(labels, before.labels) ? undefined : labels,
  };
  const save = useMutation({
    mutationFn: () => changeExecution(before.id, change),
    onSuccess() {
      toast.success(t("change.saved"));
      // No frame tells of it.
      void queries.invalidateQueries({ queryKey: executionKeys.all });
      void queries.invalidateQueries({ queryKey: queueView.queryKey });
      onClose();
    },
  });
  return (
    <form
      noValidate
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (problems.size > 0) return;
        if (change.priority === undefined && change.labels === undefined) onClose();
        else save.mutate();
      }}
    >
      {priority !== undefined && (
        <Line label={t("run.priority")} hint={t("change.priorityHint")}>
          <PrioritySelect value={priority} onChange={setPriority} />
        </Line>
      )}
      <Labels lines={lines} problems={isTried ? problems : undefined} onChange={setLines} />
      {save.error && <ProblemView error={save.error} />}
      <DialogEnd>
        <Button onClick={onClose}>{t("action.keep")}</Button>
        <Button type="submit" look="primary" isBusy={save.isPending}>
          {t("action.save")}
        </Button>
      </DialogEnd>
    </form>
  );
}

/** There is always a line to write in. */
function withOne(lines: LabelLine[]): LabelLine[] {
  return lines.length > 0 ? lines : [{ key: 0, name: "", value: "" }];
}

function Labels({
  lines,
  problems,
  onChange,
}: {
  lines: readonly LabelLine[];
  problems: ReturnType<typeof labelsOfLines>["problems"] | undefined;
  onChange: (lines: LabelLine[]) => void;
}) {
  const { t } = useLanguage();
  const list = useRef<HTMLFieldSetElement>(null);
  const edit = (key: number, part: Partial<LabelLine>) =>
    onChange(lines.map((line) => (line.key === key ? { ...line, ...part } : line)));
  const remove = (key: number) => {
    onChange(lines.filter((line) => line.key !== key));
    // What was used is gone; whoever goes on by keyboard goes on here.
    list.current?.focus();
  };
  return (
    <fieldset ref={list} tabIndex={-1} className="min-w-0 space-y-2 focus:outline-none">
      <legend className="font-medium">{t("executions.labels")}</legend>
      <p className="text-[13px] text-ink-soft">{t("change.labelsHint")}</p>
      {lines.map((line, index) => (
        <LabelFields
          key={line.key}
          line={line}
          n={index + 1}
          problem={problems?.get(line.key)}
          onEdit={(part) => edit(line.key, part)}
          onRemove={() => remove(line.key)}
        />
      ))}
      <Button
        size="small"
        icon={Plus}
        disabled={lines.length >= MAX_LABELS}
        onClick={() =>
          onChange([...lines, { key: Math.max(-1, ...lines.map(({ key }) => key)) + 1, name: "", value: "" }])
        }
      >
        {t("change.addLabel")}
      </Button>
    </fieldset>
  );
}

function LabelFields({
  line: { key, name, value },
  n,
  problem,
  onEdit,
  onRemove,
}: {
  line: LabelLine;
  n: number;
  problem: LabelProblem | undefined;
  onEdit: (part: Partial<LabelLine>) => void;
  onRemove: () => void;
}) {
  const { t } = useLanguage();
  const told = { "aria-invalid": true, "aria-describedby": `label-${key}` };
  return (
    <div>
      <div className="flex items-center gap-2">
        <input
          {...(problem && problem !== "value" ? told : {})}
          value={name}
          aria-label={t("change.name", { n })}
          placeholder={t("change.namePlaceholder")}
          onChange={(event) => onEdit({ name: event.target.value })}
          // biome-ignore lint/a11y/noAutofocus: a new line is there to be written
          autoFocus={name === "" && value === ""}
          className="field w-full min-w-0 flex-1"
        />
        <input
          {...(problem === "value" ? told : {})}
          value={value}
          aria-label={t("change.value", { n })}
          placeholder={t("change.valuePlaceholder")}
          onChange={(event) => onEdit({ value: event.target.value })}
          className="field w-full min-w-0 flex-1"
        />
        <Button
          look="quiet"
          size="small"
          icon={X}
          aria-label={t("change.removeLabel", { name: name || n })}
          onClick={onRemove}
        />
      </div>
      {problem && (
        <p id={`label-${key}`} className="mt-1 text-[13px] text-danger">
          {t(`change.problem.${problem}`)}
        </p>
      )}
    </div>
  );
}
