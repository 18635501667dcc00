import { getRouteApi, Link, Navigate } from "@tanstack/react-router";
import { ShieldX } from "lucide-react";
import { type ComponentType, lazy, Suspense } from "react";
import { useStanding } from "@/api/me";
import { Card, PageHead } from "@/components/Card";
import { Empty, SkeletonPage, SkeletonRows } from "@/components/states";
import { tabClass } from "@/components/Tabs";
import { useStrip } from "@/components/useStrip";
import { useLanguage } from "@/i18n/language";
import { whenThere } from "@/parts";
import { type SectionName, sections } from "./sections";

const panels: Record<SectionName, ComponentType> = {
  users: lazy(whenThere(() => import("./Users"))),
  keys: lazy(whenThere(() => import("./Keys"))),
  secrets: lazy(whenThere(() => import("./Secrets"))),
  audit: lazy(whenThere(() => import("./Audit"))),
  tenants: lazy(whenThere(() => import("./Tenants"))),
  limits: lazy(whenThere(() => import("./Limits"))),
  retention: lazy(whenThere(() => import("./Retention"))),
  health: lazy(whenThere(() => import("./Health"))),
};
const route = getRouteApi("/pages/admin/$section");

export function AdminPage() {
  const { t } = useLanguage();
  const { section } = route.useParams();
  const { role, may } = useStanding();
  const strip = useStrip(role && section);
  if (!role) return <SkeletonPage />;
  const shown = sections.filter(({ needs }) => may(needs));
  const current = shown.find(({ name }) => name === section);
  const Panel = current && panels[current.name];
  return (
    <>
      <PageHead title={t("nav.admin")} tab={current && `${t(`admin.section.${current.name}`)} · ${t("nav.admin")}`} />
      <nav ref={strip} aria-label={t("admin.sections")} className="strip mb-4 flex gap-1 border-b">
        {shown.map(({ name, icon: Icon }) => (
          <Link
            key={name}
            to="/admin/$section"
            params={{ section: name }}
            activeOptions={{ includeSearch: false }}
            className={`${tabClass} flex items-center gap-1.5`}
          >
            <Icon className="size-4" aria-hidden />
            {t(`admin.section.${name}`)}
          </Link>
        ))}
      </nav>
      {Panel ? (
        <Suspense
          fallback={
            <Card>
              <SkeletonRows />
            </Card>
          }
        >
          <Panel />
        </Suspense>
      ) : (
        <Empty icon={ShieldX} title={t("admin.notYours")}>
          {t("admin.notYoursHint")}
        </Empty>
      )}
    </>
  );
}

/** The first section that one gets to see. */
export function AdminStart() {
  const { role, may } = useStanding();
  const first = sections.find(({ needs }) => may(needs));
  if (!role || !first) return <SkeletonPage />;
  return <Navigate to="/admin/$section" params={{ section: first.name }} replace />;
}
