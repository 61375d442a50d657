import { defineTask } from "#libs/define-task/define-task.js";

/** `resume.process` */
export default defineTask("resume.process", {}, () => ({}));
