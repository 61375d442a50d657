/** Memory cap of the handlers that read documents, bytes: room for the largest DOCX that is read. */
export const DOCUMENT_MEMORY_BYTES = 1024 * 1024 * 1024;
