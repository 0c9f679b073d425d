/* The peer of the main job's bench: a process per run, as schedulers that isolate nothing do it. */
process.send?.("first line");
process.disconnect?.();
