export { readDatabaseFacts, type DatabaseFacts } from "#task-service/store/sqlite/read-database-facts.js";
