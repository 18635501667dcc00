import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { buttonClass } from "@/components/Button";
import { Empty, ProblemView } from "@/components/states";

export function Missing() {
  const { t } = useTranslation();
  return (
    <Empty icon={Compass} title={t("state.missing")}>
      <Link to="/" className={`${buttonClass()} mt-3`}>
        {t("state.home")}
      </Link>
    </Empty>
  );
}

export function Failed({ error }: { error: unknown }) {
  return <ProblemView error={error} retry={() => window.location.reload()} />;
}
