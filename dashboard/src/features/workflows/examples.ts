// The workflows of the folder `examples`, to begin with. They are part of this chunk, so nobody needs the folder.
import { parse } from "yaml";

export interface Example {
  /** The name of its file. */
  name: string;
  title: string;
  text: string;
}

const files = import.meta.glob<string>("../../../../examples/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true,
});

export const examples: readonly Example[] = Object.entries(files)
  .map(([file, text]) => {
    const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.yaml$/, "");
    const { document } = parse(text) as { document: { title?: string } };
    return { name, title: document.title ?? name, text };
  })
  .sort((one, other) => one.text.length - other.text.length);

export function exampleNamed(name: string | undefined): Example | undefined {
  return examples.find((example) => example.name === name);
}
