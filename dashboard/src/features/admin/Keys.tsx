import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { serviceNow } from "@/api/clock";
import type { ApiKeyView, Role, Scope } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { apiKeyList, createApiKey, peopleKeys, revokeApiKey, scopes } from "@/api/people";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Confirm, Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago, useNow } from "@/components/time";
import { useFormats, useLanguage } from "@/i18n/language";
import { rolesUpTo } from "@/may";
import { FormEnd, type Handover, Item, More, Pill, ShownOnce } from "./parts";

const route = getRouteApi("/pages/admin/$section");

export default function Keys() {
  const { t } = useLanguage();
  const { revoked } = route.useSearch();
  const navigate = route.useNavigate();
  const withRevoked = revoked === "1";
  const list = useInfiniteQuery(apiKeyList(withRevoked));
  const [isMaking, setMaking] = useState(false);
  const [handover, setHandover] = useState<Handover>();
  const keys = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-3">
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={withRevoked}
            onChange={(event) =>
              void navigate({
                search: (old) => ({ ...old, revoked: event.target.checked ? "1" : undefined }),
                replace: true,
              })
            }
            className="size-4 accent-[var(--accent)]"
          />
          {t("keys.withRevoked")}
        </label>
        <Button look="primary" icon={Plus} className="ml-auto" onClick={() => setMaking(true)}>
          {t("keys.new")}
        </Button>
      </div>
      <Card className="overflow-hidden">
        {list.error && !keys ? (
          <ProblemView error={list.error} retry={() => void list.refetch()} className="m-4" />
        ) : !keys ? (
          <SkeletonRows />
        ) : keys.length === 0 ? (
          <Empty icon={KeyRound} title={t("keys.none")}>
            {t("keys.noneHint")}
          </Empty>
        ) : (
          <ul className="divide-y">
            {keys.map((key) => (
              <Key key={key.id} apiKey={key} />
            ))}
          </ul>
        )}
        <More list={list} />
      </Card>
      <Dialog isOpen={isMaking} onClose={() => setMaking(false)} title={t("keys.new")} isWide>
        <KeyForm onClose={() => setMaking(false)} onHandover={setHandover} />
      </Dialog>
      <ShownOnce handover={handover} onClose={() => setHandover(undefined)} />
    </>
  );
}

function Key({ apiKey }: { apiKey: ApiKeyView }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const now = useNow();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const revoke = useMutation({
    mutationFn: () => revokeApiKey(apiKey.id),
    onError: tellProblem,
    onSettled() {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: peopleKeys.apiKeys });
    },
  });
  const isExpired = apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= now;
  return (
    <Item
      isOff={apiKey.revoked_at !== null || isExpired}
      title={
        <>
          <span className="truncate">{apiKey.name}</span>
          {apiKey.revoked_at ? (
            <Pill look="off">{t("keys.revoked")}</Pill>
          ) : (
            isExpired && <Pill look="bad">{t("keys.expired")}</Pill>
          )}
          {apiKey.user_id === null && <Pill look="good">{t("keys.shared")}</Pill>}
        </>
      }
      about={
        <>
          <span className="font-mono text-xs leading-5">{`${apiKey.prefix}…`}</span>
          <span>{t(`role.${apiKey.role}`)}</span>
          <span>{apiKey.scopes.length === 0 ? t("keys.everything") : apiKey.scopes.join(", ")}</span>
          <span className="text-ink-faint">
            {apiKey.expires_at ? t("keys.until", { time: formats.moment(apiKey.expires_at) }) : t("keys.forever")}
          </span>
          <span className="text-ink-faint">
            {apiKey.last_used_at ? (
              <>
                {t("keys.used")} <Ago at={apiKey.last_used_at} />
              </>
            ) : (
              t("keys.unused")
            )}
          </span>
        </>
      }
    >
      {!apiKey.revoked_at && (
        <Button size="small" onClick={() => setAsking(true)}>
          {t("keys.revoke")}
        </Button>
      )}
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={() => revoke.mutate()}
        title={t("keys.revokeTitle", { name: apiKey.name })}
        text={t("keys.revokeText")}
        action={t("keys.revoke")}
        isBusy={revoke.isPending}
      />
    </Item>
  );
}

/** What is the same of different things stands below each other. */
function columnOf(scope: Scope): string {
  if (scope.endsWith(":write")) return "sm:col-start-2";
  return scope.endsWith(":use") ? "sm:col-start-3" : "sm:col-start-1";
}

interface Values {
  name: string;
  role: Role;
  days: string;
  scopes: Scope[];
  is_shared: boolean;
}

const DAY_MS = 86_400_000;

function KeyForm({ onClose, onHandover }: { onClose: () => void; onHandover: (handover: Handover) => void }) {
  const { t } = useLanguage();
  const { role, may } = useStanding();
  const queries = useQueryClient();
  const { register, handleSubmit, formState, watch } = useForm<Values>({
    // What most programs need, and no more: whoever wants more chooses it.
    defaultValues: {
      name: "",
      role: role === "viewer" ? "viewer" : "member",
      days: "90",
      scopes: [],
      is_shared: false,
    },
  });
  const make = useMutation({
    mutationFn: ({ name, role: wanted, days, scopes: narrowed, is_shared }: Values) =>
      createApiKey({
        name,
        role: wanted,
        scopes: narrowed,
        is_shared,
        expires_at: days ? new Date(serviceNow() + Number(days) * DAY_MS).toISOString() : undefined,
      }),
    onSuccess(made) {
      void queries.invalidateQueries({ queryKey: peopleKeys.apiKeys });
      onClose();
      onHandover({
        title: t("keys.made", { name: made.name }),
        text: t("keys.madeHint"),
        secret: made.key,
        use: { text: t("keys.use"), code: "Authorization: Bearer …" },
      });
    },
  });
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => make.mutate(values))}>
      <Line label={t("keys.name")} problem={formState.errors.name && t("keys.nameNeeded")}>
        <input {...register("name", { required: true, maxLength: 120 })} className="field mt-1 w-full" />
      </Line>
      <div className="grid items-end gap-4 sm:grid-cols-2">
        <Line label={t("users.role")} hint={t(`users.roleHint.${watch("role")}`)}>
          <select {...register("role")} className="field mt-1 w-full">
            {rolesUpTo(role).map((one) => (
              <option key={one} value={one}>
                {t(`role.${one}`)}
              </option>
            ))}
          </select>
        </Line>
        <Line label={t("keys.expiry")}>
          <select {...register("days")} className="field mt-1 w-full">
            {["7", "30", "90", "365"].map((days) => (
              <option key={days} value={days}>
                {t("keys.days", { count: Number(days) })}
              </option>
            ))}
            <option value="">{t("keys.forever")}</option>
          </select>
        </Line>
      </div>
      <fieldset>
        <legend className="font-medium">{t("keys.scopes")}</legend>
        <p className="text-[13px] text-ink-soft">{t("keys.scopesHint")}</p>
        <div className="mt-2 grid gap-x-4 gap-y-1.5 sm:grid-cols-3">
          {scopes.map((scope) => (
            <label key={scope} className={`flex items-center gap-2 ${columnOf(scope)}`}>
              <input type="checkbox" value={scope} {...register("scopes")} className="size-4 accent-[var(--accent)]" />
              <span className="font-mono text-[13px]">{scope}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {may("user_write") && (
        <label className="flex items-center gap-2">
          <input type="checkbox" {...register("is_shared")} className="size-4 accent-[var(--accent)]" />
          {t("keys.sharedHint")}
        </label>
      )}
      {make.error && <ProblemView error={make.error} />}
      <FormEnd onClose={onClose} isBusy={make.isPending} action={t("keys.new")} />
    </form>
  );
}
