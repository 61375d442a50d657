export { readDatabaseFacts } from "#task-service/store/sqlite/read-database-facts.js";
