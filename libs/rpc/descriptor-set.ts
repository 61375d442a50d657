import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { FILE_DESCRIPTOR_SET_BASE64 } from "#libs/proto/gen/descriptors.js";

let bytes: Buffer | undefined;
let registry: FileRegistry | undefined;

/** The public API as an encoded google.protobuf.FileDescriptorSet. */
export function descriptorSetBytes(): Buffer {
  return (bytes ??= Buffer.from(FILE_DESCRIPTOR_SET_BASE64, "base64"));
}

/** The public API as descriptors that can be looked up by name. Read on first use. */
export function descriptorRegistry(): FileRegistry {
  return (registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSetBytes())));
}
