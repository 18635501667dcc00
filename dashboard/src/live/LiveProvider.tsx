// Joins the socket, the query cache and the notices: the only component that does. Everything else reads queries.
import { type QueryFilters, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { executionKeys } from "@/api/executions";
import type { ServerFrame } from "@/api/generated/schema";
import { me } from "@/api/me";
import { session } from "@/api/session";
import { spendingKey } from "@/api/spending";
import { apply } from "./apply";
import { LiveContext } from "./context";
import { freshest } from "./latest";
import { tellEnds } from "./notices";
import { LiveSocket, type LiveStatus } from "./socket";
import { address, token } from "./ticket";

/** How often what is shown is read again while the socket is down. */
const POLL_EVERY_MS = 5_000;
/** What a frame made stale is read again at most this often. */
const READ_AGAIN_MS = 1_000;
/** Between the greeting and the first frame of a session lies a moment in which the first answers may have been too early. */
const SETTLE_MS = 300;

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [status, setStatus] = useState<LiveStatus>("connecting");
  const stale = useRef(new Map<string, readonly unknown[]>());
  const reading = useRef<ReturnType<typeof setTimeout>>(undefined);

  const socket = useMemo(() => {
    const readAgainSoon = (key: readonly unknown[]) => {
      stale.current.set(JSON.stringify(key), key);
      reading.current ??= setTimeout(() => {
        reading.current = undefined;
        const keys = [...stale.current.values()];
        stale.current.clear();
        for (const queryKey of keys) {
          // An answer that is on its way may be older than the frame.
          for (const query of queries.getQueryCache().findAll({ queryKey, fetchStatus: "fetching" }))
            readAgainSoon(query.queryKey);
          void queries.invalidateQueries({ queryKey, fetchStatus: "idle" });
        }
      }, READ_AGAIN_MS);
    };
    const onFrames = (frames: ServerFrame[]) => {
      const entries = queries
        .getQueryCache()
        .getAll()
        .map((query) => ({ key: query.queryKey, data: query.state.data }));
      const changes = apply(frames, entries, (id) => freshest.of(id) !== undefined);
      for (const frame of frames) if (frame.type === "execution_update") freshest.note(frame.data);
      for (const { key, data } of changes.set) queries.setQueryData(key, data);
      changes.stale.forEach(readAgainSoon);
      tellEnds(frames);
    };
    const onOtherStore = () => {
      freshest.clear();
      void queries.resetQueries();
    };
    return new LiveSocket({
      address,
      token,
      open: (url) => new WebSocket(url),
      onFrames,
      onStatus: setStatus,
      onOtherStore,
      random: Math.random,
    });
  }, [queries]);

  useEffect(() => {
    const hurry = () => socket.hurry();
    const hurryWhenSeen = () => document.visibilityState === "visible" && socket.hurry();
    const obey = () => (session.isRefused ? socket.stop() : socket.start());
    obey();
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurryWhenSeen);
    const leave = session.subscribe(obey);
    return () => {
      clearTimeout(reading.current);
      reading.current = undefined;
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurryWhenSeen);
      leave();
      socket.stop();
    };
  }, [socket]);

  const hasBeenOnline = useRef(false);
  useEffect(() => {
    if (status === "online") {
      // What carries no cursor is read again after each gap, and so is what one may do: sessions end when that changes. The rest only
      // in the beginning.
      const keys = hasBeenOnline.current
        ? [["queue"], ["executions", "stats"], spendingKey, me.queryKey]
        : [executionKeys.all, ["queue"], spendingKey];
      const timer = setTimeout(() => {
        hasBeenOnline.current = true;
        for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
      }, SETTLE_MS);
      return () => clearTimeout(timer);
    }
    if (status !== "offline") return;
    const active: QueryFilters = { type: "active", predicate: (query) => query.meta?.live === true };
    // What takes longer than the pause between two rounds is let be.
    const poll = () => void queries.refetchQueries(active, { cancelRefetch: false });
    const timer = setInterval(poll, POLL_EVERY_MS);
    return () => clearInterval(timer);
  }, [status, queries]);

  const value = useMemo(() => ({ status, socket }), [status, socket]);
  return <LiveContext value={value}>{children}</LiveContext>;
}
