import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Ellipsis, KeyRound, Trash2, UserCheck, UserPlus, Users as UsersIcon, UserX } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { toast } from "sonner";
import type { ChangeUser, CreateUser, Role, UserView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { changeUser, createUser, peopleKeys, removeUser, resetUser, signInLink, userList } from "@/api/people";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { Confirm, Dialog } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { Menu, MenuChoice, MenuItem, MenuLine } from "@/components/Menu";
import { Empty, ProblemView, SkeletonRows } from "@/components/states";
import { tellProblem } from "@/components/tellProblem";
import { Ago } from "@/components/time";
import { useTyped } from "@/components/useTyped";
import { useLanguage } from "@/i18n/language";
import { roles, rolesUpTo } from "@/may";
import { FormEnd, type Handover, Item, More, Pill, ShownOnce } from "./parts";

const route = getRouteApi("/pages/admin/$section");

export default function Users() {
  const { t } = useLanguage();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { field } = useTyped(
    q,
    (typed) => void navigate({ search: (old) => ({ ...old, q: typed || undefined }), replace: true }),
  );
  const list = useInfiniteQuery(userList(q.trim()));
  const [isAdding, setAdding] = useState(false);
  const [handover, setHandover] = useState<Handover>();
  const people = list.data?.pages.flatMap((page) => page.items);
  return (
    <>
      <div className="mb-3 flex gap-2">
        <input
          {...field}
          type="search"
          aria-label={t("users.search")}
          placeholder={t("users.search")}
          className="field w-60 max-sm:flex-1"
        />
        <Button look="primary" icon={UserPlus} className="ml-auto" onClick={() => setAdding(true)}>
          {t("users.add")}
        </Button>
      </div>
      <Card className="overflow-hidden">
        {list.error && !people ? (
          <ProblemView error={list.error} retry={() => void list.refetch()} className="m-4" />
        ) : !people ? (
          <SkeletonRows />
        ) : people.length === 0 ? (
          <Empty icon={UsersIcon} title={t("users.noneFound")} />
        ) : (
          <ul className="divide-y">
            {people.map((person) => (
              <Person key={person.id} person={person} onHandover={setHandover} />
            ))}
          </ul>
        )}
        <More list={list} />
      </Card>
      <Dialog isOpen={isAdding} onClose={() => setAdding(false)} title={t("users.add")}>
        <AddForm onClose={() => setAdding(false)} onHandover={setHandover} />
      </Dialog>
      <ShownOnce handover={handover} onClose={() => setHandover(undefined)} />
    </>
  );
}

function Person({ person, onHandover }: { person: UserView; onHandover: (handover: Handover) => void }) {
  const { t } = useLanguage();
  const { role, ownerId } = useStanding();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<"reset" | "deactivate" | "remove">();
  const settled = {
    onSettled: () => {
      setAsked(undefined);
      void queries.invalidateQueries({ queryKey: peopleKeys.users });
    },
    onError: tellProblem,
  };
  const change = useMutation({
    mutationFn: (body: ChangeUser) => changeUser(person.id, body),
    onSuccess: () => toast.success(t("users.changed", { name: person.display_name })),
    ...settled,
  });
  const reset = useMutation({
    mutationFn: () => resetUser(person.id),
    onSuccess: (link) =>
      onHandover({
        title: t("users.link", { name: person.display_name }),
        text: t("users.linkHint"),
        secret: signInLink(link.sign_in_token),
      }),
    ...settled,
  });
  const remove = useMutation({
    mutationFn: () => removeUser(person.id),
    onSuccess: () => toast.success(t("users.removed", { name: person.display_name })),
    ...settled,
  });
  const act = { reset, deactivate: { mutate: () => change.mutate({ is_active: false }) }, remove };
  // Nobody changes themself here, nor somebody above.
  const mayTouch = person.id !== ownerId && rolesUpTo(role).includes(person.role);
  return (
    <Item
      isOff={!person.is_active}
      title={
        <>
          <span className="truncate">{person.display_name}</span>
          {person.id === ownerId && <span className="font-normal text-ink-faint text-xs">{t("users.you")}</span>}
          {!person.is_active ? (
            <Pill look="off">{t("users.inactive")}</Pill>
          ) : (
            !person.has_password && <Pill look="open">{t("users.invited")}</Pill>
          )}
        </>
      }
      about={
        <>
          <span className="break-all">{person.email}</span>
          <span>{t(`role.${person.role}`)}</span>
          <span className="text-ink-faint">
            {person.last_sign_in_at ? (
              <>
                {t("users.seen")} <Ago at={person.last_sign_in_at} />
              </>
            ) : (
              t("users.neverSeen")
            )}
          </span>
        </>
      }
    >
      {mayTouch && (
        <Menu
          trigger={
            <Button look="quiet" icon={Ellipsis} aria-label={t("users.actions", { name: person.display_name })} />
          }
        >
          <MenuChoice
            label={t("users.role")}
            value={person.role}
            options={rolesUpTo(role).map((value) => ({ value, label: t(`role.${value}`) }))}
            onChoose={(value) => change.mutate({ role: value })}
          />
          <MenuLine />
          <MenuItem icon={KeyRound} onSelect={() => setAsked("reset")}>
            {t("users.reset")}
          </MenuItem>
          {person.is_active ? (
            <MenuItem icon={UserX} isDangerous onSelect={() => setAsked("deactivate")}>
              {t("users.deactivate")}
            </MenuItem>
          ) : (
            <MenuItem icon={UserCheck} onSelect={() => change.mutate({ is_active: true })}>
              {t("users.activate")}
            </MenuItem>
          )}
          <MenuItem icon={Trash2} isDangerous onSelect={() => setAsked("remove")}>
            {t("users.remove")}
          </MenuItem>
        </Menu>
      )}
      <Confirm
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={() => asked && act[asked].mutate()}
        title={t(`users.${asked ?? "reset"}Title`, { name: person.display_name })}
        text={t(`users.${asked ?? "reset"}Text`)}
        action={t(`users.${asked ?? "reset"}`)}
        isBusy={reset.isPending || change.isPending || remove.isPending}
      />
    </Item>
  );
}

function AddForm({ onClose, onHandover }: { onClose: () => void; onHandover: (handover: Handover) => void }) {
  const { t } = useLanguage();
  const { role } = useStanding();
  const queries = useQueryClient();
  const { register, handleSubmit, watch, formState } = useForm<CreateUser & { role: Role }>({
    defaultValues: { email: "", display_name: "", role: "member" },
  });
  const add = useMutation({
    mutationFn: createUser,
    onSuccess(person) {
      void queries.invalidateQueries({ queryKey: peopleKeys.users });
      onClose();
      if (!person.sign_in_token) return;
      onHandover({
        title: t("users.link", { name: person.display_name }),
        text: t("users.linkHint"),
        secret: signInLink(person.sign_in_token),
      });
    },
  });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => add.mutate(values))}>
      <Line label={t("users.name")} problem={errors.display_name && t("users.nameNeeded")}>
        <input
          {...register("display_name", { required: true, maxLength: 120 })}
          autoComplete="off"
          className="field mt-1 w-full"
        />
      </Line>
      <Line label={t("signIn.email")} problem={errors.email && t("signIn.emailNeeded")}>
        <input
          {...register("email", { required: true, pattern: /.+@.+/, maxLength: 254 })}
          type="email"
          autoComplete="off"
          className="field mt-1 w-full"
        />
      </Line>
      <Line label={t("users.role")} hint={t(`users.roleHint.${watch("role")}`)}>
        <select {...register("role")} className="field mt-1 w-full">
          {roles
            .filter((one) => rolesUpTo(role).includes(one))
            .map((one) => (
              <option key={one} value={one}>
                {t(`role.${one}`)}
              </option>
            ))}
        </select>
      </Line>
      {add.error && <ProblemView error={add.error} />}
      <FormEnd onClose={onClose} isBusy={add.isPending} action={t("users.add")} />
    </form>
  );
}
