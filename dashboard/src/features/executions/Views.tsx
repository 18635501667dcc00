// The menu of saved views: open one, save what one sees, and what can be done to the one that is open.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Bookmark, BookmarkPlus, Check, HardDriveUpload, Pencil, RefreshCw, Trash2, Users } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";
import type { SavedViewDetail } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { changeView, createView, removeView, savedViews, viewKeys } from "@/api/views";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Dialog";
import { Menu, MenuItem, MenuLine } from "@/components/Menu";
import { tellProblem } from "@/components/tellProblem";
import { useLanguage } from "@/i18n/language";
import { useColumns } from "./columns";
import { useLocalViews } from "./localViews";
import { useTakingOver } from "./useTakingOver";
import { ViewDialog } from "./ViewDialog";
import { differs, queryOf, searchOf, sorted } from "./view";

const route = getRouteApi("/pages/executions");

/** What is asked for: the name of a new view or of the open one, or whether the open one is to go. */
type Asked = "save" | "rename" | "remove";

export function Views() {
  const { t } = useLanguage();
  const { may, ownerId } = useStanding();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const shown = useColumns();
  const locals = useLocalViews();
  const { data, error, refetch } = useQuery(savedViews("executions"));
  const takeOver = useTakingOver();
  const [asked, setAsked] = useState<Asked>();
  const { create, change, remove } = useChanges(() => setAsked(undefined));
  const current = data?.find((view) => view.id === search.view);
  const isChanged = current !== undefined && differs(search, current);
  const { mine, shared } = sorted(data ?? [], ownerId);
  const mayChange =
    current !== undefined &&
    may("view_write", current.created_by) &&
    (!current.is_shared || may("view_share", current.created_by));
  const open = (view: SavedViewDetail) => void navigate({ search: searchOf(view) });
  /** The address says from now on what the view keeps, the columns too. */
  const stay = (view: SavedViewDetail) => void navigate({ search: searchOf(view), replace: true });
  const name = current && (isChanged ? t("views.changed", { name: current.name }) : current.name);
  return (
    <>
      <Menu
        trigger={
          <Button
            look="quiet"
            icon={Bookmark}
            aria-label={name ? t("views.titleWith", { name }) : t("views.title")}
            title={name ?? t("views.title")}
            // The name comes later than the rest: where it has no room it would push the rest away.
            className={clsx("max-sm:w-[34px] max-sm:px-0", current && "max-sm:text-accent-text!")}
          >
            {current && (
              <span className="flex min-w-0 items-center gap-1 max-sm:hidden">
                <span className="max-w-44 truncate">{current.name}</span>
                {isChanged && <span aria-hidden className="size-1.5 shrink-0 rounded-full bg-accent" />}
              </span>
            )}
          </Button>
        }
      >
        {error && !data ? (
          <>
            <Hint>{t("views.unread")}</Hint>
            <MenuItem icon={RefreshCw} onSelect={() => void refetch()}>
              {t("action.tryAgain")}
            </MenuItem>
          </>
        ) : (
          mine.length + shared.length + locals.length === 0 && <Hint>{t("views.none")}</Hint>
        )}
        <Group label={t("views.mine")} views={mine} current={current} onOpen={open} />
        <Group label={t("views.shared")} views={shared} current={current} onOpen={open} />
        {locals.length > 0 && (
          <DropdownMenu.Group>
            <Label>{t("views.local")}</Label>
            {locals.map((local) => (
              <MenuItem key={local.name} onSelect={() => void navigate({ search: local.search })}>
                <Mark />
                <span className="min-w-0 truncate">{local.name}</span>
              </MenuItem>
            ))}
            <MenuItem icon={HardDriveUpload} onSelect={() => takeOver.mutate()}>
              {t("views.takeOver")}
            </MenuItem>
          </DropdownMenu.Group>
        )}
        <MenuLine />
        {current && isChanged && mayChange && (
          <MenuItem
            icon={RefreshCw}
            onSelect={() =>
              change.mutate({ view: current, body: { query: queryOf(search, shown) } }, { onSuccess: stay })
            }
          >
            {t("views.update")}
          </MenuItem>
        )}
        {may("view_write") && (
          <MenuItem icon={BookmarkPlus} onSelect={() => setAsked("save")}>
            {t("views.save")}
          </MenuItem>
        )}
        {current && mayChange && (
          <MenuItem icon={Pencil} onSelect={() => setAsked("rename")}>
            {t("views.rename")}
          </MenuItem>
        )}
        {current && may("view_write", current.created_by) && (
          <>
            {(current.is_shared || may("view_share", current.created_by)) && (
              <MenuItem
                icon={Users}
                onSelect={() => change.mutate({ view: current, body: { is_shared: !current.is_shared } })}
              >
                {current.is_shared ? t("views.unshare") : t("views.share")}
              </MenuItem>
            )}
            <MenuItem icon={Trash2} isDangerous onSelect={() => setAsked("remove")}>
              {t("views.remove")}
            </MenuItem>
          </>
        )}
      </Menu>
      <ViewDialog
        key={asked}
        isOpen={asked === "save" || asked === "rename"}
        title={asked === "rename" ? t("views.rename") : t("views.save")}
        view={asked === "rename" ? current : undefined}
        mayShare={may("view_share")}
        isBusy={create.isPending || change.isPending}
        onClose={() => setAsked(undefined)}
        onSave={(body) => {
          if (asked === "rename" && current) change.mutate({ view: current, body });
          else create.mutate({ ...body, list: "executions", query: queryOf(search, shown) }, { onSuccess: stay });
        }}
      />
      <Confirm
        isOpen={asked === "remove" && current !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() =>
          current &&
          remove.mutate(current, {
            // What is seen stays when its view goes.
            onSuccess: () => void navigate({ search: (old) => ({ ...old, view: undefined }), replace: true }),
          })
        }
        title={t("views.removeTitle", { name: current?.name ?? "" })}
        text={current?.is_shared ? t("views.removeSharedText") : t("views.removeText")}
        action={t("views.remove")}
        isBusy={remove.isPending}
      />
    </>
  );
}

/** What is done to views; afterwards they are read again. */
function useChanges(onDone: () => void) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: viewKeys.all });
  const done = (view: SavedViewDetail, said: string) => {
    // What is open is known before the list has been read again.
    queries.setQueryData(savedViews(view.list).queryKey, (old) => [
      ...(old ?? []).filter(({ id }) => id !== view.id),
      view,
    ]);
    toast.success(said);
    onDone();
  };
  return {
    create: useMutation({
      mutationFn: createView,
      onSuccess: (view) => done(view, t("views.saved", { name: view.name })),
      onError: tellProblem,
      onSettled,
    }),
    change: useMutation({
      mutationFn: ({ view, body }: { view: SavedViewDetail; body: Parameters<typeof changeView>[1] }) =>
        changeView(view.id, body),
      onSuccess: (view) => done(view, t("views.saved", { name: view.name })),
      onError: tellProblem,
      onSettled,
    }),
    remove: useMutation({
      mutationFn: (view: SavedViewDetail) => removeView(view.id),
      onSuccess: (_, view) => {
        toast.success(t("views.removed", { name: view.name }));
        onDone();
      },
      onError: tellProblem,
      onSettled,
    }),
  };
}

function Group({
  label,
  views,
  current,
  onOpen,
}: {
  label: string;
  views: readonly SavedViewDetail[];
  current: SavedViewDetail | undefined;
  onOpen: (view: SavedViewDetail) => void;
}) {
  const { t } = useLanguage();
  const { ownerId } = useStanding();
  if (views.length === 0) return null;
  return (
    <DropdownMenu.Group aria-label={label}>
      <Label>{label}</Label>
      {views.map((view) => {
        const isMine = view.created_by === ownerId;
        const about = isMine ? view.is_shared && t("views.isShared") : view.created_by_name;
        return (
          <MenuItem key={view.id} onSelect={() => onOpen(view)}>
            <Mark isOn={view.id === current?.id} />
            <span className="min-w-0 truncate">{view.name}</span>
            {about && <span className="ml-auto max-w-24 shrink-0 truncate pl-2 text-ink-faint text-xs">{about}</span>}
          </MenuItem>
        );
      })}
    </DropdownMenu.Group>
  );
}

/** Which one is open. */
function Mark({ isOn = false }: { isOn?: boolean }) {
  const { t } = useLanguage();
  return (
    <span className="grid size-4 shrink-0 place-items-center">
      {isOn && <Check className="size-4" aria-label={t("views.isOpen")} />}
    </span>
  );
}

function Label({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-2 pb-1 text-ink-faint text-xs">{children}</DropdownMenu.Label>;
}

function Hint({ children }: { children: ReactNode }) {
  return <p className="max-w-64 px-2 py-1.5 text-ink-soft text-sm">{children}</p>;
}
