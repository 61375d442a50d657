import { defineTask } from "#libs/define-task/define-task.js";

/** `system.no_op_process`: does nothing, in a child process. For benchmarks, beside `system.no_op`. */
export default defineTask("system.no_op_process", { isolation: "process" }, () => ({}));
