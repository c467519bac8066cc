import { resolve } from "node:path";

/** A file as whoever typed it means it: npm runs scripts in the project's folder, wherever it was called. */
export const fromHere = (file: string): string => resolve(process.env.INIT_CWD ?? ".", file);
