import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClass } from "@/components/Button";
import { Card } from "@/components/Card";
import { Empty, ProblemView, Skeleton, SkeletonRows } from "@/components/states";
import { useTitle } from "@/components/useTitle";
import { useLanguage } from "@/i18n/language";

/** Stands alone: an address that leads nowhere has no frame around it. */
export function Missing() {
  const { t } = useLanguage();
  useTitle(t("state.missing"));
  return (
    <main className="mx-auto grid min-h-dvh w-full max-w-2xl content-center p-4">
      <h1 className="sr-only">{t("state.missing")}</h1>
      <Empty icon={Compass} title={t("state.missing")}>
        <Link to="/" className={`${buttonClass()} mt-3`}>
          {t("state.home")}
        </Link>
      </Empty>
    </main>
  );
}

/** In place of a page that is on its way, when that takes longer than a moment. */
export function Pending() {
  const { t } = useLanguage();
  return (
    <div role="status" aria-label={t("state.loading")}>
      <Skeleton className="mb-6 h-7 w-48" />
      <Card>
        <SkeletonRows />
      </Card>
    </div>
  );
}

/** In place of a page that could not be drawn. */
export function Failed({ error }: { error: unknown }) {
  const { t } = useLanguage();
  return (
    <div className="mx-auto w-full max-w-2xl space-y-4 p-4">
      <h1 className="sr-only">{t("state.unexpected")}</h1>
      <ProblemView error={error} retry={() => window.location.reload()} />
      <Link to="/" reloadDocument className="text-accent-text hover:underline">
        {t("state.home")}
      </Link>
    </div>
  );
}
