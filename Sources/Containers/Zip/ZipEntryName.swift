import Support

/// Which names entries may have: relative, in UTF-8, made of plain parts.
enum ZipEntryName {
    /// The name as text.
    /// - Throws: `Problem` `zip-entry-name`.
    static func checked(_ bytes: ArraySlice<UInt8>, limits: ZipLimits) throws -> String {
        let shown = printable(bytes)
        func refuse(_ reason: String) -> Problem { ZipFault.name.problem(reason, entry: shown) }

        guard !bytes.isEmpty else { throw refuse("The name is empty.") }
        guard bytes.count <= limits.maximumNameLength else {
            throw refuse(
                "The name has \(bytes.count) bytes; at most \(limits.maximumNameLength) are allowed.")
        }
        guard let name = String(validating: bytes, as: UTF8.self) else {
            throw refuse("The name is not in UTF-8.")
        }
        for byte in bytes {
            switch byte {
            case 0: throw refuse("The name has a NUL byte.")
            case UInt8(ascii: "\\"): throw refuse("The name has a backslash.")
            case ..<0x20, 0x7F: throw refuse("The name has a control character.")
            default: break
            }
        }
        guard bytes.first != UInt8(ascii: "/") else { throw refuse("The name is an absolute path.") }
        if bytes.count >= 2, bytes[bytes.startIndex + 1] == UInt8(ascii: ":") {
            throw refuse("The name begins with a drive.")
        }
        // A folder's name ends with one slash.
        let path = bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes
        for part in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty { throw refuse("The name has an empty part.") }
            if part.elementsEqual("..".utf8) { throw refuse("The name has a “..” part.") }
            if part.elementsEqual(".".utf8) { throw refuse("The name has a “.” part.") }
        }
        return name
    }
}
