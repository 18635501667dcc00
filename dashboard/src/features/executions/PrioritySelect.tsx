import type { ComponentProps } from "react";

/** From the highest to the lowest; 5 is what is not given one. */
const priorities = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0];

export function PrioritySelect({
  onChange,
  ...rest
}: Omit<ComponentProps<"select">, "onChange"> & { value: number; onChange: (priority: number) => void }) {
  return (
    <select {...rest} onChange={(event) => onChange(Number(event.target.value))} className="field mt-1 block w-24">
      {priorities.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </select>
  );
}
