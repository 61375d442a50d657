import { escapePattern } from "#worker/handlers/resume-process/escape-pattern.js";

/** Skills that are known by name, as they are written; after `|`, other ways to write them. Regular words of English are left out. */
const SKILLS =
  "JavaScript|js|자바스크립트;TypeScript|타입스크립트;Python|파이썬;Java|자바;Kotlin|코틀린;Swift|스위프트;Objective-C;C++;C#;F#;Golang|go언어;Rust;Ruby;Ruby on Rails|rails;PHP;Perl;Scala;" +
  "Haskell;Elixir;Erlang;Clojure;Dart;Lua;MATLAB;Fortran;COBOL;Bash|shell script|쉘스크립트;PowerShell;SQL;PL/SQL;HTML|html5;CSS|css3;Sass|scss;GraphQL;gRPC;REST API|restful api|rest;" +
  "Node.js|nodejs|node js|노드;Deno;React|react.js|reactjs|리액트;React Native;Next.js|nextjs;Vue.js|vue|vuejs|뷰;Nuxt.js|nuxt;Angular|angularjs|앵귤러;Svelte;jQuery;Redux;Webpack;Vite;Express|express.js;" +
  "NestJS|nest.js;Django|장고;Flask|플라스크;FastAPI;Spring|스프링;Spring Boot|springboot|스프링부트|스프링 부트;Hibernate;JPA;MyBatis;Laravel;Symfony;ASP.NET|asp.net core;.NET|.net core|dotnet;Unity|유니티;Unreal Engine|언리얼;" +
  "Flutter|플러터;Android|안드로이드;iOS;SwiftUI;Jetpack Compose;MySQL;MariaDB;PostgreSQL|postgres;SQLite;Oracle|오라클;SQL Server|mssql;MongoDB;Redis|레디스;Elasticsearch;OpenSearch;Cassandra;DynamoDB;Neo4j;" +
  "Kafka|apache kafka|카프카;RabbitMQ;NATS;Spark|apache spark;Hadoop|하둡;Airflow;Flink;Snowflake;BigQuery;Redshift;dbt;Tableau|태블로;Power BI;Looker;Excel|엑셀;PowerPoint|파워포인트;SAP;Salesforce;" +
  "AWS|amazon web services;Azure;GCP|google cloud;Docker|도커;Kubernetes|k8s|쿠버네티스;Helm;Terraform;Ansible;Jenkins|젠킨스;GitHub Actions;GitLab CI;ArgoCD;Prometheus|프로메테우스;Grafana|그라파나;Datadog;" +
  "Linux|리눅스;Ubuntu;Nginx;Apache;Git;GitHub;GitLab;SVN;Jira|지라;Confluence;Notion;Slack;Figma|피그마;Sketch;Photoshop|포토샵;Illustrator|일러스트레이터;Premiere Pro|프리미어;After Effects;InDesign;AutoCAD|오토캐드;SolidWorks;" +
  "TensorFlow|텐서플로;PyTorch|파이토치;Keras;scikit-learn|sklearn;pandas;NumPy;OpenCV;Hugging Face;LangChain;LLM;machine learning|머신러닝|기계학습;deep learning|딥러닝;natural language processing|nlp|자연어처리;" +
  "computer vision|컴퓨터비전;data analysis|데이터분석|데이터 분석;statistics|통계;R Studio|rstudio;SPSS;SAS;Jest;Mocha;Cypress;Playwright;Selenium|셀레늄;JUnit;pytest;Storybook;Tailwind CSS|tailwind;Bootstrap;" +
  "WebRTC;WebSocket;OAuth;JWT;Agile|애자일;Scrum|스크럼;Kanban;CI/CD;microservices|msa|마이크로서비스;DDD;TDD;Google Analytics;SEO;project management|프로젝트 관리";

interface Skill {
  readonly name: string;
  readonly spellings: readonly string[];
}

const KNOWN: readonly Skill[] = SKILLS.split(";").map((entry) => {
  const spellings = entry.split("|");
  return { name: spellings[0] ?? entry, spellings: spellings.map((spelling) => spelling.toLowerCase()) };
});
const NAME_OF = new Map(KNOWN.flatMap(({ name, spellings }) => spellings.map((spelling) => [spelling, name])));
/** Longer ones first, so that `spring boot` is not taken for `spring`. A Korean particle may follow. */
const ANY = new RegExp(
  `(?<![\\p{L}\\p{N}.#+/@-])(?:${[...NAME_OF.keys()]
    .sort((a, b) => b.length - a.length)
    .map(escapePattern)
    .join("|")})(?![a-z0-9#+@]|[.-][a-z0-9])`,
  "giu",
);

/** Whether a text is the name of a known skill. */
export function isSkill(text: string): boolean {
  return NAME_OF.has(text.toLowerCase());
}

/** Known skills that a text mentions, under their usual names, each once, in order. */
export function mentionedSkills(text: string): string[] {
  const found = [...text.matchAll(ANY)].map(([spelling]) => NAME_OF.get(spelling.toLowerCase()) ?? spelling);
  return [...new Set(found)];
}
