import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Check, Columns3, ListTree, Search, SlidersHorizontal, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { agentList } from "@/api/agents";
import type { Status } from "@/api/generated/schema";
import { fullName, workflowList } from "@/api/workflows";
import { Button } from "@/components/Button";
import { Menu, menuItem } from "@/components/Menu";
import { statusIcons } from "@/components/StatusBadge";
import { useStrip } from "@/components/useStrip";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { columns, columnsText, keepColumns, toggled, useColumns } from "./columns";
import { shortId } from "./Name";
import { continuedWords, type ListSearch, spans, statuses, statusesOf, types } from "./search";
import { TakingOver } from "./TakingOver";
import { Views } from "./Views";

const route = getRouteApi("/pages/executions");

/** Two lines; on small screens all parts stand in one grid, in another order. */
const line = "flex basis-full flex-wrap items-center gap-2 max-sm:contents";

export function Filters() {
  const { t } = useLanguage();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: ListSearch) => void navigate({ search: (old) => ({ ...old, ...part }), replace: true });
  const { data: workflows } = useQuery(workflowList());
  const { data: agents } = useQuery(agentList);
  const chosen = statusesOf(search);
  // On small screens the other filters are shown when they are asked for.
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <div className={line}>
        {search.parent && <Parent id={search.parent} onLeave={() => change({ parent: undefined })} />}
        <SearchField value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
        <Statuses
          chosen={chosen}
          onChoose={(next) => change({ status: next.length > 0 ? next.join(",") : undefined })}
        />
      </div>
      <div className={line}>
        <div
          className={clsx(
            "flex flex-wrap gap-2 max-sm:order-2 max-sm:grid max-sm:basis-full max-sm:grid-cols-2 max-sm:[&_.field]:w-full max-sm:[&_.field]:max-w-none",
            !isOpen && "max-sm:hidden",
          )}
        >
          <Choice
            label={t("executions.type")}
            value={search.type}
            options={types.map((value) => ({ value, label: t(`type.${value}`) }))}
            onChoose={(type) => change({ type, agent: undefined, workflow: undefined })}
          />
          {search.type !== "agent_test" && (
            <Choice
              label={t("executions.workflow")}
              value={search.workflow}
              options={(workflows ?? []).map((workflow) => ({ value: fullName(workflow), label: fullName(workflow) }))}
              onChoose={(workflow) => change({ workflow })}
            />
          )}
          {search.type !== "workflow" && (
            <Choice
              label={t("executions.agent")}
              value={search.agent}
              options={(agents ?? []).map((agent) => ({ value: agent.id, label: agent.name }))}
              onChoose={(agent) => change({ agent })}
            />
          )}
          <Choice
            label={t("executions.since")}
            value={search.since}
            options={spans.map((value) => ({ value, label: t(`span.${value}`) }))}
            onChoose={(since) => change({ since })}
          />
          <Choice
            label={t("executions.continued")}
            value={search.continued}
            options={continuedWords.map((value) => ({ value, label: t(`retries.filter.${value}`) }))}
            onChoose={(continued) => change({ continued })}
          />
          <LabelField value={search.label ?? ""} onChange={(label) => change({ label: label || undefined })} />
        </div>
        <div className="ml-auto flex flex-wrap justify-end gap-1">
          <Button
            look="quiet"
            icon={SlidersHorizontal}
            aria-expanded={isOpen}
            aria-label={t("executions.moreFilters")}
            title={t("executions.moreFilters")}
            onClick={() => setOpen(!isOpen)}
            className="sm:hidden"
          />
          {Object.values(search).some((value) => value !== undefined) && (
            <Button look="quiet" icon={X} onClick={() => void navigate({ search: {}, replace: true })}>
              <span className="max-sm:sr-only">{t("executions.clear")}</span>
            </Button>
          )}
          <Views />
          <ColumnMenu said={search.columns} onSay={(columns) => change({ columns })} />
        </div>
      </div>
      <TakingOver />
    </div>
  );
}

/** Whose children are shown; away with it, and all are. */
function Parent({ id, onLeave }: { id: string; onLeave: () => void }) {
  const { t } = useLanguage();
  return (
    <span className="flex h-[34px] items-center gap-1 rounded-lg bg-accent-soft pl-2.5 text-[13px] max-sm:basis-full">
      <ListTree className="size-3.5 text-accent-text" aria-hidden />
      <Link to="/executions/$id" params={{ id }} className="text-accent-text hover:underline">
        {t("executions.parent", { id: shortId(id) })}
      </Link>
      <Button
        look="quiet"
        size="small"
        icon={X}
        aria-label={t("executions.leaveParent")}
        title={t("executions.leaveParent")}
        onClick={onLeave}
      />
    </span>
  );
}

/** Which statuses are shown; all of them when none is chosen. */
function Statuses({ chosen, onChoose }: { chosen: readonly Status[]; onChoose: (next: readonly Status[]) => void }) {
  const { t } = useLanguage();
  const strip = useStrip<HTMLFieldSetElement>("status");
  return (
    <fieldset ref={strip} className="strip -m-1 flex min-w-0 gap-1 p-1 max-sm:order-1 max-sm:basis-full">
      <legend className="sr-only">{t("executions.status")}</legend>
      {statuses.map((status) => {
        const Icon = statusIcons[status];
        const isOn = chosen.includes(status);
        return (
          <button
            key={status}
            type="button"
            aria-pressed={isOn}
            data-status={isOn ? "active" : undefined}
            onClick={() => onChoose(statuses.filter((one) => (one === status) !== chosen.includes(one)))}
            className={clsx(
              `status-${status} flex h-[34px] shrink-0 items-center gap-1.5 rounded-lg border px-2.5 text-[13px] transition-colors`,
              isOn
                ? "border-transparent bg-status-tint font-medium text-status"
                : "bg-surface text-ink-soft hover:bg-sunken",
            )}
          >
            <Icon className="size-3.5 text-status" aria-hidden />
            {t(`status.${status}`)}
          </button>
        );
      })}
    </fieldset>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useLanguage();
  const { field } = useTyped(value, onChange);
  return (
    <label className="relative min-w-28 flex-1 sm:min-w-40 sm:max-w-80">
      <span className="sr-only">{t("executions.search")}</span>
      <Search
        className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
        aria-hidden
      />
      <input {...field} type="search" placeholder={t("executions.search")} className="field w-full pl-8" />
    </label>
  );
}

function LabelField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useLanguage();
  const { field } = useTyped(value, onChange, "leave");
  return (
    <label>
      <span className="sr-only">{t("executions.labels")}</span>
      <input {...field} placeholder={t("executions.labelsHint")} className="field w-36" />
    </label>
  );
}

function Choice<T extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: T | undefined;
  options: readonly { value: T; label: string }[];
  onChoose: (value: T | undefined) => void;
}) {
  // A value from the address that is not among the options is shown all the same.
  const all =
    value && !options.some((option) => option.value === value) ? [...options, { value, label: value }] : options;
  return (
    <label>
      <span className="sr-only">{label}</span>
      <select
        value={value ?? ""}
        onChange={(event) => onChoose(all.find((option) => option.value === event.target.value)?.value)}
        className={clsx("field max-w-44 pr-1", !value && "text-ink-soft")}
      >
        <option value="">{label}</option>
        {all.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function ColumnMenu({ said, onSay }: { said: string | undefined; onSay: (columns: string) => void }) {
  const { t } = useLanguage();
  const shown = useColumns();
  return (
    <Menu
      trigger={
        <Button
          look="quiet"
          icon={Columns3}
          aria-label={t("executions.columns")}
          title={t("executions.columns")}
          className="max-md:hidden"
        />
      }
    >
      {columns.map((column) => (
        <DropdownMenu.CheckboxItem
          key={column}
          checked={shown.includes(column)}
          onSelect={(event) => {
            event.preventDefault();
            const next = toggled(shown, column);
            // What the address says is part of what a link shows; the own choice stays as it is.
            if (said) onSay(columnsText(next));
            else keepColumns(next);
          }}
          className={menuItem}
        >
          <span className="grid size-4 place-items-center">
            <DropdownMenu.ItemIndicator>
              <Check className="size-4" aria-hidden />
            </DropdownMenu.ItemIndicator>
          </span>
          {t(`column.${column}`)}
        </DropdownMenu.CheckboxItem>
      ))}
    </Menu>
  );
}
