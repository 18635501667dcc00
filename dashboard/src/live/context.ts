import { createContext } from "react";
import type { LiveSocket, LiveStatus } from "./socket";

export interface LiveState {
  status: LiveStatus;
  socket: LiveSocket;
}

export const LiveContext = createContext<LiveState | undefined>(undefined);
