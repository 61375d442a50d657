import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  FileDescriptorProtoSchema,
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

interface IndexedFile {
  readonly bytes: Buffer;
  readonly dependencies: readonly string[];
}

/** Finds descriptor files by name, symbol and extension. The bytes are handed out as they came, with options and comments. */
export class DescriptorIndex {
  readonly #files = new Map<string, IndexedFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  readonly #fileOfExtension = new Map<string, Map<number, string>>();
  readonly #services: string[] = [];

  /** @param fileDescriptorSet - an encoded google.protobuf.FileDescriptorSet that holds all its imports */
  constructor(fileDescriptorSet: Uint8Array) {
    const reader = new BinaryReader(fileDescriptorSet);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (number === 1) this.#addFile(Buffer.from(reader.bytes()));
      else reader.skip(wireType, number);
    }
    this.#services.sort();
  }

  /** Full names of all services, sorted. */
  get services(): readonly string[] {
    return this.#services;
  }

  /** The file and all it imports, itself first; undefined when there is no such file. */
  filesByName(name: string): Buffer[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const names = new Set([name]);
    for (const visited of names) {
      for (const dependency of this.#files.get(visited)?.dependencies ?? []) names.add(dependency);
    }
    return [...names].flatMap((each) => this.#files.get(each)?.bytes ?? []);
  }

  /** The file that defines a symbol (message, field, enum, value, service, method, extension), and all it imports. */
  filesBySymbol(symbol: string): Buffer[] | undefined {
    const name = this.#fileOfSymbol.get(symbol.replace(/^\./, ""));
    return name === undefined ? undefined : this.filesByName(name);
  }

  /** The file that defines an extension, and all it imports. */
  filesByExtension(containingType: string, number: number): Buffer[] | undefined {
    const name = this.#fileOfExtension.get(containingType)?.get(number);
    return name === undefined ? undefined : this.filesByName(name);
  }

  /** Numbers of the known extensions of a message, ascending; undefined when the message is unknown. */
  extensionNumbers(containingType: string): number[] | undefined {
    const extensions = this.#fileOfExtension.get(containingType);
    if (extensions !== undefined) return [...extensions.keys()].sort((a, b) => a - b);
    return this.#fileOfSymbol.has(containingType) ? [] : undefined;
  }

  #addFile(bytes: Buffer): void {
    const file = fromBinary(FileDescriptorProtoSchema, bytes);
    this.#files.set(file.name, { bytes, dependencies: file.dependency });
    const scope = file.package;
    for (const message of file.messageType) this.#addMessage(message, scope, file);
    for (const enumeration of file.enumType) this.#addEnum(enumeration, scope, file);
    for (const extension of file.extension) this.#addExtension(extension, scope, file);
    for (const service of file.service) {
      const name = this.#addSymbol(service.name, scope, file);
      this.#services.push(name);
      for (const method of service.method) this.#addSymbol(method.name, name, file);
    }
  }

  #addMessage(message: DescriptorProto, scope: string, file: FileDescriptorProto): void {
    const name = this.#addSymbol(message.name, scope, file);
    for (const field of message.field) this.#addSymbol(field.name, name, file);
    for (const oneof of message.oneofDecl) this.#addSymbol(oneof.name, name, file);
    for (const nested of message.nestedType) this.#addMessage(nested, name, file);
    for (const enumeration of message.enumType) this.#addEnum(enumeration, name, file);
    for (const extension of message.extension) this.#addExtension(extension, name, file);
  }

  #addEnum(enumeration: DescriptorProto["enumType"][number], scope: string, file: FileDescriptorProto): void {
    this.#addSymbol(enumeration.name, scope, file);
    for (const value of enumeration.value) this.#addSymbol(value.name, scope, file);
  }

  #addExtension(extension: FieldDescriptorProto, scope: string, file: FileDescriptorProto): void {
    this.#addSymbol(extension.name, scope, file);
    const extendee = extension.extendee.replace(/^\./, "");
    const numbers = this.#fileOfExtension.get(extendee) ?? new Map<number, string>();
    this.#fileOfExtension.set(extendee, numbers.set(extension.number, file.name));
  }

  #addSymbol(name: string, scope: string, file: FileDescriptorProto): string {
    const fullName = scope === "" ? name : `${scope}.${name}`;
    this.#fileOfSymbol.set(fullName, file.name);
    return fullName;
  }
}
