import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serviceNow, setByAnswer } from "./clock";

const NOW = Date.UTC(2026, 2, 1, 9, 30);
const httpDate = (ms: number) => new Date(ms).toUTCString();

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  setByAnswer(httpDate(Date.now()));
  vi.useRealTimers();
});

it("follows the service when the clock here is wrong, and does not jump with each answer", () => {
  setByAnswer(httpDate(NOW + 1_000));
  expect(serviceNow()).toBe(NOW);
  setByAnswer(httpDate(NOW - 3_600_000));
  const hourBehind = serviceNow();
  expect(Math.abs(hourBehind - (NOW - 3_600_000))).toBeLessThan(1_000);
  setByAnswer(httpDate(NOW - 3_601_000));
  setByAnswer("no date");
  setByAnswer(null);
  expect(serviceNow()).toBe(hourBehind);
  vi.advanceTimersByTime(5_000);
  expect(serviceNow()).toBe(hourBehind + 5_000);
});

it("goes by the clock here again when that is set right", () => {
  setByAnswer(httpDate(NOW - 3_600_000));
  setByAnswer(httpDate(NOW));
  expect(serviceNow()).toBe(NOW);
});
