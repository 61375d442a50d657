/** Lists of stop words, exported by ISO 639-3 code. */
declare module "stopword" {}
