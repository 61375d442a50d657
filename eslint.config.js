import tseslint from "typescript-eslint";

/** Packages that only one place may import; test/architecture checks the same rules over the built import graph. */
const doors = {
  "@grpc/grpc-js": "only in libs/rpc",
  nats: "only in libs/bus",
  kysely: "only in services/task-service/store",
  "better-sqlite3": "only in services/task-service/store",
  "node:child_process":
    "only in services/worker/isolate, services/worker/handlers/command-run, take-picture.ts of resume-process, libs/leash, libs/nats-server and cli",
};

/** Forbids rooms, and every door but the open ones, to some files. */
function zone(files, { rooms = [], open = [] }) {
  return {
    files,
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: Object.entries(doors)
            .filter(([name]) => !open.includes(name))
            .map(([name, where]) => ({ name, message: `${name} is imported ${where}.` })),
          patterns: rooms.map((room) => ({ group: [`#${room}/**`], message: `This room may not know #${room}.` })),
        },
      ],
    },
  };
}

const aboveLibs = ["task-service", "worker", "cli", "test"];

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", ".cache/", ".taskwire/", "libs/proto/gen/", "test/fixtures/**/*.js"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      // Words of another library's enum arrive as plain strings.
      "@typescript-eslint/no-unsafe-enum-comparison": "off",
      // Rejecting with an AbortSignal's reason is what the platform does.
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      "max-lines": ["error", { max: 300 }],
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  zone(["libs/**/*.ts"], { rooms: aboveLibs }),
  zone(["libs/rpc/**/*.ts"], { rooms: aboveLibs, open: ["@grpc/grpc-js"] }),
  zone(["libs/bus/**/*.ts"], { rooms: aboveLibs, open: ["nats"] }),
  zone(["libs/{leash,nats-server}/**/*.ts"], { rooms: aboveLibs, open: ["node:child_process"] }),
  zone(["services/task-service/**/*.ts"], { rooms: ["worker", "cli", "test"] }),
  zone(["services/task-service/store/**/*.ts"], {
    rooms: ["worker", "cli", "test"],
    open: ["kysely", "better-sqlite3"],
  }),
  zone(["services/worker/**/*.ts"], { rooms: ["task-service", "cli", "test"] }),
  zone(
    [
      "services/worker/{isolate,handlers/command-run}/**/*.ts",
      "services/worker/handlers/resume-process/take-picture.ts",
    ],
    {
      rooms: ["task-service", "cli", "test"],
      open: ["node:child_process"],
    },
  ),
  zone(["cli/**/*.ts"], { rooms: ["test"], open: ["node:child_process"] }),
  {
    files: ["test/**/*.ts"],
    rules: {
      // chai's assertions are property accesses.
      "@typescript-eslint/no-unused-expressions": "off",
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    rules: { "max-lines": ["error", { max: 300 }], eqeqeq: "error", "prefer-const": "error", "no-var": "error" },
  },
);
