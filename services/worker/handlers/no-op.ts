import { defineTask } from "#libs/define-task/define-task.js";

/** `system.no_op`: does nothing, in the worker itself. For benchmarks: what is left is Taskwire's own cost. */
export default defineTask("system.no_op", { isolation: "inline" }, () => ({}));
