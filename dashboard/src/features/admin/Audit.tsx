import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Download, ScrollText } from "lucide-react";
import { auditExport, auditList } from "@/api/admin";
import type { AuditView } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Copy } from "@/components/Copy";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago } from "@/components/time";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { auditSearchOf } from "@/routes/admin";
import { dayOf, instantOf } from "./days";
import { Item, More } from "./parts";

const route = getRouteApi("/pages/admin/$section");
const texts = ["action", "target_kind", "target_id", "actor_id", "provider"] as const;
const days = ["after", "before"] as const;

export default function Audit() {
  const { t } = useLanguage();
  const filter = auditSearchOf(route.useSearch());
  const navigate = route.useNavigate();
  const list = useInfiniteQuery(auditList(filter));
  const entries = list.data?.pages.flatMap((page) => page.items);
  const download = useMutation({
    mutationFn: () => auditExport(filter),
    onSuccess(file) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(file);
      link.download = "audit.jsonl";
      link.click();
      URL.revokeObjectURL(link.href);
    },
    onError: tellProblem,
  });
  const set = (name: string, value: string) =>
    void navigate({ search: (old) => ({ ...old, [name]: value || undefined }), replace: true });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-end gap-2">
        {texts.map((name) => (
          <TextFilter key={name} name={name} value={filter[name] ?? ""} onTyped={(text) => set(name, text.trim())} />
        ))}
        {/* Together, so that what belongs together comes into the next line together. */}
        <div className="flex flex-1 basis-full flex-wrap items-end gap-2 sm:basis-[440px]">
          {days.map((name) => (
            <label key={name} className="flex items-center gap-1.5 text-[13px] text-ink-soft max-sm:w-full">
              {t(`audit.filter.${name}`)}
              <input
                type="date"
                value={dayOf(name, filter[name])}
                onChange={(event) => set(name, instantOf(name, event.target.value))}
                className="field w-[138px] max-sm:flex-1"
              />
            </label>
          ))}
          <Button icon={Download} className="ml-auto" isBusy={download.isPending} onClick={() => download.mutate()}>
            {t("audit.export")}
          </Button>
        </div>
      </div>
      <Card className="overflow-hidden">
        {list.error && !entries ? (
          <ProblemView error={list.error} retry={() => void list.refetch()} className="m-4" />
        ) : !entries ? (
          <SkeletonRows />
        ) : entries.length === 0 ? (
          <Empty icon={ScrollText} title={t("audit.none")} />
        ) : (
          <ul className="divide-y">
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} only={set} />
            ))}
          </ul>
        )}
        <More list={list} />
      </Card>
    </>
  );
}

function TextFilter({
  name,
  value,
  onTyped,
}: {
  name: (typeof texts)[number];
  value: string;
  onTyped: (text: string) => void;
}) {
  const { t } = useLanguage();
  const { field } = useTyped(value, onTyped, "leave");
  return (
    <input
      {...field}
      type="search"
      aria-label={t(`audit.filter.${name}`)}
      placeholder={t(`audit.filter.${name}`)}
      className="field w-[calc(50%-4px)] sm:w-auto sm:flex-1 sm:basis-40"
    />
  );
}

const pages: Record<string, "/executions/$id" | "/workflows/$id" | "/agents/$id" | undefined> = {
  execution: "/executions/$id",
  workflow: "/workflows/$id",
  agent: "/agents/$id",
};

/** What it was about, with the way there when it has a page. */
function Target({ entry }: { entry: AuditView }) {
  const text = `${entry.target_kind} ${entry.target_id}`;
  const to = pages[entry.target_kind];
  if (!to) return text;
  return (
    <Link to={to} params={{ id: entry.target_id }} className="hover:text-accent-text hover:underline">
      {text}
    </Link>
  );
}

/** `only` shows nothing but the entries that have a value like this one's. */
function Entry({ entry, only }: { entry: AuditView; only: (name: string, value: string) => void }) {
  const { t } = useLanguage();
  return (
    <Item
      title={
        <>
          <span className="min-w-0 wrap-anywhere">{entry.actor_name}</span>
          <button
            type="button"
            onClick={() => only("action", entry.action)}
            title={t("audit.onlyThese")}
            className="rounded bg-sunken px-1.5 font-mono font-normal text-[13px] hover:bg-line"
          >
            {entry.action}
          </button>
          {entry.provider && (
            <button
              type="button"
              onClick={() => only("provider", entry.provider ?? "")}
              title={t("audit.onlyThese")}
              className="rounded px-1 font-normal text-[13px] text-ink-soft hover:bg-sunken"
            >
              {t("audit.withProvider", { provider: entry.provider })}
            </button>
          )}
        </>
      }
      about={
        <span className="break-all font-mono text-xs leading-5">
          <Target entry={entry} />
          {entry.address && ` · ${entry.address}`}
        </span>
      }
    >
      <span className="shrink-0 text-right text-ink-faint text-xs">
        <Ago at={entry.at} />
      </span>
      {entry.request_id && (
        // As wide for every id, so that the times stand below each other.
        <span className="-mr-2 flex w-44 shrink-0 justify-end max-sm:hidden">
          <Copy text={entry.request_id} label={t("state.requestId", { id: entry.request_id.slice(-8) })} />
        </span>
      )}
    </Item>
  );
}
