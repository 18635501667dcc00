// The command palette: every page, every workflow and agent, and what is running, by a few letters.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { Bot, Building2, FilePlus2, Languages, Search, SunMoon, Undo2, Workflow } from "lucide-react";
import { Dialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { tenantList } from "@/api/admin";
import { agentList } from "@/api/agents";
import { executionList } from "@/api/executionLists";
import { useStanding } from "@/api/me";
import { useViewed } from "@/api/viewing";
import { fullName, workflowList } from "@/api/workflows";
import { StatusIcon } from "@/components/StatusBadge";
import { tellProblem } from "@/components/tellProblem";
import { useFocusReturn } from "@/components/useFocusReturn";
import { sections } from "@/features/admin/sections";
import { Name, shortId } from "@/features/executions/Name";
import { chooseLanguage } from "@/i18n";
import { useLanguage } from "@/i18n/language";
import { chooseTheme, useIsDark } from "@/theme";
import { places } from "./navigation";
import { rank } from "./rank";
import { useLookAt } from "./useLookAt";

const item =
  "flex h-9 cursor-pointer items-center gap-2.5 rounded-lg px-2.5 data-[selected=true]:bg-sunken [&_svg]:size-4 [&_svg]:shrink-0 [&_svg:not(.text-status)]:text-ink-faint";

export default function Palette({ onClose }: { onClose: () => void }) {
  const { t, language } = useLanguage();
  const navigate = useNavigate();
  const isDark = useIsDark();
  const { may, tenantId } = useStanding();
  const [text, setText] = useState("");
  const { data: workflows } = useQuery(workflowList());
  const { data: agents } = useQuery(agentList);
  const maySwitch = may("tenant_write");
  const { data: tenants } = useInfiniteQuery({ ...tenantList, enabled: maySwitch });
  const viewed = useViewed();
  const lookAt = useLookAt();
  const { data: recent } = useQuery(executionList({}));
  const act = (action: () => unknown) => () => {
    onClose();
    void action();
  };
  const focus = useFocusReturn();
  const isId = /^[0-9a-f-]{36}$/i.test(text.trim());
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/35" />
        <Dialog.Content
          {...focus}
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 animate-appear overflow-hidden rounded-xl border bg-raised shadow-float focus:outline-none"
        >
          <Dialog.Title className="sr-only">{t("shell.search")}</Dialog.Title>
          <Command label={t("shell.search")} filter={rank}>
            <div className="flex items-center gap-2.5 border-b px-4">
              <Search className="size-4 text-ink-faint" aria-hidden />
              <Command.Input
                value={text}
                onValueChange={setText}
                placeholder={t("palette.placeholder")}
                className="h-12 flex-1 bg-transparent outline-none placeholder:text-ink-faint"
              />
            </div>
            <Command.List label={t("shell.search")} className="max-h-[60vh] overflow-auto p-2">
              <Command.Empty className="px-3 py-8 text-center text-ink-soft">{t("palette.nothing")}</Command.Empty>
              {isId && (
                <Command.Item
                  className={item}
                  value={text}
                  onSelect={act(() => navigate({ to: "/executions/$id", params: { id: text.trim() } }))}
                >
                  {t("palette.openExecution", { id: text.trim() })}
                </Command.Item>
              )}
              <Group title={t("palette.pages")}>
                {places.map((place) => (
                  <Command.Item
                    key={place.to}
                    value={t(`nav.${place.name}`)}
                    className={item}
                    onSelect={act(() => navigate({ to: place.to }))}
                  >
                    <place.icon aria-hidden />
                    {t(`nav.${place.name}`)}
                  </Command.Item>
                ))}
              </Group>
              {text && (
                <Group title={t("nav.admin")}>
                  {sections
                    .filter((section) => may(section.needs))
                    .map(({ name, icon: Icon }) => (
                      <Command.Item
                        key={name}
                        value={`${t("nav.admin")} ${t(`admin.section.${name}`)}`}
                        className={item}
                        onSelect={act(() => navigate({ to: "/admin/$section", params: { section: name } }))}
                      >
                        <Icon aria-hidden />
                        {t(`admin.section.${name}`)}
                      </Command.Item>
                    ))}
                </Group>
              )}
              <Group title={t("palette.actions")}>
                {may("workflow_register") && (
                  <Command.Item
                    value={t("workflow.new")}
                    className={item}
                    onSelect={act(() => navigate({ to: "/workflows/new" }))}
                  >
                    <FilePlus2 aria-hidden />
                    {t("workflow.new")}
                  </Command.Item>
                )}
                <Command.Item
                  value={t("palette.toggleTheme")}
                  className={item}
                  onSelect={act(() => chooseTheme(isDark ? "light" : "dark"))}
                >
                  <SunMoon aria-hidden />
                  {t("palette.toggleTheme")}
                </Command.Item>
                <Command.Item
                  value="language 语言 english 中文"
                  className={item}
                  onSelect={act(() => chooseLanguage(language === "en" ? "zh-CN" : "en").catch(tellProblem))}
                >
                  <Languages aria-hidden />
                  {language === "en" ? "切换到简体中文" : "Switch to English"}
                </Command.Item>
              </Group>
              {workflows && workflows.length > 0 && (
                <Group title={t("nav.workflows")}>
                  {workflows.slice(0, 200).map((workflow) => (
                    <Command.Item
                      key={workflow.id}
                      value={`${fullName(workflow)} ${workflow.title ?? ""}`}
                      className={item}
                      onSelect={act(() => navigate({ to: "/workflows/$id", params: { id: workflow.id } }))}
                    >
                      <Workflow aria-hidden />
                      {fullName(workflow)}
                    </Command.Item>
                  ))}
                </Group>
              )}
              {agents && (
                <Group title={t("nav.agents")}>
                  {agents.slice(0, 200).map((agent) => (
                    <Command.Item
                      key={agent.id}
                      value={`${agent.name} ${agent.slug}`}
                      className={item}
                      onSelect={act(() => navigate({ to: "/agents/$id", params: { id: agent.id } }))}
                    >
                      <Bot aria-hidden />
                      {agent.name}
                    </Command.Item>
                  ))}
                </Group>
              )}
              {maySwitch && (
                <Group title={t("admin.section.tenants")}>
                  {viewed && (
                    <Command.Item value={t("viewing.back")} className={item} onSelect={act(() => lookAt(undefined))}>
                      <Undo2 aria-hidden />
                      {t("viewing.back")}
                    </Command.Item>
                  )}
                  {tenants?.pages
                    .flatMap((page) => page.items)
                    .filter(({ id }) => id !== tenantId && id !== viewed?.id)
                    .map(({ id, name, slug }) => (
                      <Command.Item
                        key={id}
                        value={`${t("palette.lookAt", { name })} ${slug}`}
                        className={item}
                        onSelect={act(() => lookAt({ id, name }))}
                      >
                        <Building2 aria-hidden />
                        {t("palette.lookAt", { name })}
                      </Command.Item>
                    ))}
                </Group>
              )}
              {recent && (
                <Group title={t("palette.recent")}>
                  {recent.pages[0]?.items.slice(0, 8).map((row) => (
                    <Command.Item
                      key={row.id}
                      value={`${row.workflow.namespace}/${row.workflow.name} ${row.id}`}
                      className={item}
                      onSelect={act(() => navigate({ to: "/executions/$id", params: { id: row.id } }))}
                    >
                      <StatusIcon status={row.status} />
                      <Name row={row} />
                      <span className="ml-auto font-mono text-ink-faint text-xs">{shortId(row.id)}</span>
                    </Command.Item>
                  ))}
                </Group>
              )}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={title}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-ink-faint [&_[cmdk-group-heading]]:text-xs"
    >
      {children}
    </Command.Group>
  );
}
