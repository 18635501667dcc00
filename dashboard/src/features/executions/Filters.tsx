import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Columns3, Search, SlidersHorizontal, X } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import { agentList } from "@/api/agents";
import { fullName, workflowList } from "@/api/workflows";
import { Button } from "@/components/Button";
import { Menu } from "@/components/Menu";
import { statusIcons } from "@/components/StatusBadge";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { columns, columnsText, keepColumns, toggled, useColumns } from "./columns";
import { type ListSearch, spans, statuses, statusesOf, types } from "./search";
import { TakingOver } from "./TakingOver";
import { Views } from "./Views";

const route = getRouteApi("/pages/executions");

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
      <SearchField value={search.q ?? ""} onChange={(q) => change({ q: q || undefined })} />
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">{t("executions.status")}</legend>
        {statuses.map((status) => {
          const Icon = statusIcons[status];
          const isOn = chosen.includes(status);
          return (
            <button
              key={status}
              type="button"
              aria-pressed={isOn}
              onClick={() => {
                const next = statuses.filter((one) => (one === status) !== chosen.includes(one));
                change({ status: next.length > 0 ? next.join(",") : undefined });
              }}
              className={clsx(
                `status-${status} flex h-[34px] items-center gap-1.5 rounded-lg border px-2.5 text-[13px] transition-colors`,
                isOn
                  ? "border-transparent bg-status-tint font-medium text-status"
                  : "bg-surface text-ink-soft hover:bg-sunken",
              )}
            >
              <Icon className="size-3.5 text-status" aria-hidden />
              <span className={clsx(!isOn && "max-xl:sr-only")}>{t(`status.${status}`)}</span>
            </button>
          );
        })}
      </fieldset>
      <div className={clsx("flex flex-wrap gap-2", !isOpen && "max-sm:hidden")}>
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
            {t("executions.clear")}
          </Button>
        )}
        <Views />
        <ColumnMenu said={search.columns} onSay={(columns) => change({ columns })} />
      </div>
      <TakingOver />
    </div>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useLanguage();
  const { field } = useTyped(value, onChange);
  return (
    <label className="relative min-w-40 flex-1 sm:max-w-64">
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
          className="flex h-8 cursor-pointer items-center gap-2 rounded-md px-2 text-sm outline-none data-[highlighted]:bg-sunken"
        >
          <span className="grid size-4 place-items-center">
            <DropdownMenu.ItemIndicator>✓</DropdownMenu.ItemIndicator>
          </span>
          {t(`column.${column}`)}
        </DropdownMenu.CheckboxItem>
      ))}
    </Menu>
  );
}
