// The frame around every page: a sidebar, on small screens a bar at the bottom.

import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Keyboard, LogOut, Search, Settings2, UserRound } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { signOut, usePerson } from "@/api/auth";
import { Button } from "@/components/Button";
import { Menu, MenuChoice, MenuItem, MenuLine } from "@/components/Menu";
import { tellProblem } from "@/components/tellProblem";
import { Monitor } from "@/features/monitor/Monitor";
import { chooseLanguage, isLanguage, languages } from "@/i18n";
import { useLanguage } from "@/i18n/language";
import { whenThere } from "@/parts";
import { chooseTheme, themes, useTheme } from "@/theme";
import { Connection } from "./Connection";
import { places } from "./navigation";
import { isApple, paletteKeys, useShortcuts } from "./shortcuts";
import { ViewedTenant } from "./ViewedTenant";

const readPalette = whenThere(() => import("./Palette"));
const Palette = lazy(readPalette);
const Shortcuts = lazy(whenThere(() => import("./Shortcuts")));
const Account = lazy(whenThere(() => import("./Account")));

type Opened = "palette" | "shortcuts" | "account";

/** By then the page itself has been read. */
const PALETTE_AFTER_MS = 2_000;

export function Layout() {
  const { t } = useLanguage();
  const [open, setOpen] = useState<Opened>();
  useShortcuts({ onPalette: () => setOpen("palette"), onShortcuts: () => setOpen("shortcuts") });
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const lastPath = useRef(path);
  useEffect(() => {
    if (path === lastPath.current) return;
    lastPath.current = path;
    main.current?.scrollTo(0, 0);
    // What led here may be gone with its page: the next one begins at its beginning.
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [path]);
  // Whoever opens the palette types at once: it is there before, though not in the first load.
  useEffect(() => {
    const timer = setTimeout(() => void readPalette().catch(() => undefined), PALETTE_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  const close = () => setOpen(undefined);
  const person = usePerson();
  return (
    <div className="group/shell flex h-dvh flex-col sm:flex-row">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        {t("shell.skip")}
      </a>
      <aside className="hidden w-14 shrink-0 flex-col border-r bg-sunken sm:flex lg:w-56">
        <Brand />
        <nav aria-label={t("shell.navigation")} className="flex flex-col gap-0.5 px-2 py-2">
          {places.map((place) => (
            <Link
              key={place.to}
              to={place.to}
              activeOptions={{ exact: place.to === "/", includeSearch: false }}
              title={t(`nav.${place.name}`)}
              className="flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-ink-soft transition-colors hover:bg-line/60 hover:text-ink data-[status=active]:bg-surface data-[status=active]:font-medium data-[status=active]:text-ink data-[status=active]:shadow-card"
            >
              <place.icon className="size-[18px] shrink-0" aria-hidden />
              <span className="sr-only lg:not-sr-only">{t(`nav.${place.name}`)}</span>
            </Link>
          ))}
        </nav>
        <div className="mt-auto flex flex-col gap-1 p-2">
          <Connection />
          <button
            type="button"
            onClick={() => setOpen("palette")}
            title={t("shell.search")}
            className="flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-ink-soft hover:bg-line/60 hover:text-ink"
          >
            <Search className="size-[18px] shrink-0" aria-hidden />
            <span className="sr-only lg:not-sr-only">{t("shell.search")}</span>
            <kbd className="ml-auto hidden rounded border bg-surface px-1.5 font-sans text-ink-faint text-xs lg:inline">
              {paletteKeys.join(isApple ? "" : " ")}
            </kbd>
          </button>
          <Preferences onOpen={setOpen} isWide />
        </div>
      </aside>
      <header className="flex h-12 shrink-0 items-center justify-between border-b bg-sunken px-3 sm:hidden">
        <Brand isSmall />
        <div className="flex items-center gap-1">
          <Connection />
          <Button look="quiet" icon={Search} aria-label={t("shell.search")} onClick={() => setOpen("palette")} />
          <Preferences onOpen={setOpen} />
        </div>
      </header>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ViewedTenant />
        <main
          id="content"
          ref={main}
          tabIndex={-1}
          className="min-h-0 min-w-0 flex-1 overflow-auto focus-visible:outline-none"
        >
          {/* What stands last can be scrolled out from under the monitor. */}
          <div className="mx-auto flex min-h-full max-w-[1680px] flex-col min-[188rem]:max-w-[2560px] px-4 py-5 group-has-[#monitor]/shell:pb-20 sm:px-6 lg:px-8">
            <Outlet />
          </div>
        </main>
      </div>
      <nav
        aria-label={t("shell.navigation")}
        className="flex shrink-0 border-t bg-sunken pb-[env(safe-area-inset-bottom)] sm:hidden"
      >
        {places.map((place) => (
          <Link
            key={place.to}
            to={place.to}
            activeOptions={{ exact: place.to === "/", includeSearch: false }}
            className="flex h-14 min-w-0 flex-auto flex-col items-center justify-center gap-0.5 px-0.5 text-[10px] text-ink-soft min-[400px]:text-[11px] data-[status=active]:font-medium data-[status=active]:text-accent-text"
          >
            <place.icon className="size-5" aria-hidden />
            {t(`nav.${place.name}`)}
          </Link>
        ))}
      </nav>
      <Monitor />
      <Suspense>
        {open === "palette" && <Palette onClose={close} />}
        {open === "shortcuts" && <Shortcuts onClose={close} />}
        {open === "account" && person && <Account person={person} onClose={close} />}
      </Suspense>
    </div>
  );
}

function Brand({ isSmall }: { isSmall?: boolean }) {
  return (
    <Link to="/" className={clsx("flex items-center gap-2.5 font-semibold", isSmall ? "" : "h-14 px-4 lg:px-[18px]")}>
      <img src="/favicon.svg" alt="" className="size-6" />
      <span className={clsx(!isSmall && "sr-only lg:not-sr-only", "tracking-tight")}>Callboard</span>
    </Link>
  );
}

const languageNames = { en: "English", "zh-CN": "简体中文" } as const;

function Preferences({ onOpen, isWide }: { onOpen: (what: Opened) => void; isWide?: boolean }) {
  const { t, language } = useLanguage();
  const theme = useTheme();
  const person = usePerson();
  const queries = useQueryClient();
  const trigger = isWide ? (
    <button
      type="button"
      title={t("shell.preferences")}
      className="flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-ink-soft hover:bg-line/60 hover:text-ink"
    >
      <Settings2 className="size-[18px] shrink-0" aria-hidden />
      <span className="sr-only lg:not-sr-only">{t("shell.preferences")}</span>
    </button>
  ) : (
    <Button look="quiet" icon={Settings2} aria-label={t("shell.preferences")} />
  );
  return (
    <Menu trigger={trigger} align={isWide ? "start" : "end"}>
      <MenuChoice
        label={t("shell.language")}
        value={isLanguage(language) ? language : "en"}
        options={languages.map((value) => ({ value, label: languageNames[value] }))}
        onChoose={(language) => void chooseLanguage(language).catch(tellProblem)}
      />
      <MenuChoice
        label={t("shell.theme")}
        value={theme}
        options={themes.map((value) => ({ value, label: t(`theme.${value}`) }))}
        onChoose={chooseTheme}
      />
      <MenuLine />
      <MenuItem icon={Keyboard} onSelect={() => onOpen("shortcuts")}>
        {t("shell.shortcuts")}
      </MenuItem>
      {person && <MenuLine />}
      {person && (
        <p className="truncate px-2 pt-2 pb-1 text-ink-faint text-xs">{`${person.display_name} · ${t(`role.${person.role}`)}`}</p>
      )}
      {person && (
        <MenuItem icon={UserRound} onSelect={() => onOpen("account")}>
          {t("account.title")}
        </MenuItem>
      )}
      {person && (
        <MenuItem icon={LogOut} onSelect={() => void signOut(queries).catch(tellProblem)}>
          {t("shell.signOut")}
        </MenuItem>
      )}
    </Menu>
  );
}
