import { type ChangeEvent, type KeyboardEvent, useEffect, useEffectEvent, useState } from "react";

/** Text counts when one stops typing for this long. */
export const TYPING_PAUSE_MS = 300;

/**
 * A field whose text is part of the address. What is typed is told after a pause, or only when one leaves the field or presses
 * Enter; what the address says otherwise (a link, a way back) comes into the field. Letters that are still being put together by an
 * input method are nobody's text yet.
 */
export function useTyped(value: string, onTyped: (text: string) => void, when: "pause" | "leave" = "pause") {
  const [text, setText] = useState(value);
  const [isComposing, setComposing] = useState(false);
  // What the address said when it was last looked at, and what was told last.
  const [known, setKnown] = useState(value);
  const [told, setTold] = useState(value);
  if (value !== known) {
    setKnown(value);
    if (value !== told) {
      setTold(value);
      setText(value);
    }
  }
  const tell = () => {
    if (text === told) return;
    setTold(text);
    onTyped(text);
  };
  const tellSoon = useEffectEvent(tell);
  useEffect(() => {
    if (when === "leave" || isComposing || text === told) return;
    const timer = setTimeout(tellSoon, TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [when, isComposing, text, told]);
  return {
    /** As it stands in the field. */
    text,
    field: {
      value: text,
      onChange: (event: ChangeEvent<HTMLInputElement>) => setText(event.target.value),
      onBlur: tell,
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key === "Enter" && !isComposing) tell();
      },
      onCompositionStart: () => setComposing(true),
      onCompositionEnd: () => setComposing(false),
    },
  };
}
