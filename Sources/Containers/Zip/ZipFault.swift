import Support

/// What can be wrong with a zip archive: one stable code and title each.
enum ZipFault: String {
    case endRecord = "zip-end-record"
    case directory = "zip-directory"
    case entry = "zip-entry"
    case name = "zip-entry-name"
    case duplicate = "zip-duplicate-entry"
    case overlap = "zip-overlapping-entries"
    case encrypted = "zip-encrypted"
    case link = "zip-link"
    case method = "zip-compression-method"
    case ambiguous = "zip-ambiguous"
    case limit = "zip-limit"
    case checksum = "zip-checksum"

    private var title: String {
        switch self {
        case .endRecord: "The zip archive is cut short or damaged"
        case .directory: "The zip archive's directory is damaged"
        case .entry: "An entry of the zip archive is damaged"
        case .name: "An entry of the zip archive has a name that is not allowed"
        case .duplicate: "The zip archive has two entries of one name"
        case .overlap: "Entries of the zip archive overlap"
        case .encrypted: "The zip archive is encrypted"
        case .link: "The zip archive holds something that is neither a file nor a folder"
        case .method: "An entry of the zip archive is compressed in a way that is not supported"
        case .ambiguous: "Programs could read the zip archive in two ways"
        case .limit: "The zip archive is over a limit"
        case .checksum: "An entry of the zip archive does not match its checksum"
        }
    }

    private var fix: String? {
        switch self {
        case .endRecord, .directory, .entry, .overlap, .checksum:
            "Compare the file's size and digest with the original, and upload it again."
        case .name: "Pack the files again with relative names."
        case .duplicate: "Pack the files again, each once."
        case .encrypted: "Pack the files again without a password."
        case .link: "Pack the files that links point to (zip does so without --symlinks)."
        case .method: "Pack the files again with the methods store or deflate."
        case .ambiguous: "Pack the files again, into a new archive."
        case .limit: "Pack fewer and smaller files."
        }
    }

    func problem(_ detail: String, entry: String? = nil) -> Problem {
        Problem(
            self == .limit ? .tooLarge : .malformed, code: rawValue, title: title, detail: detail,
            location: entry, fix: fix)
    }
}

/// A name for messages: what is not printable ASCII is escaped, and the middle of a long one left out.
func printable(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for byte in bytes.prefix(120) {
        if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "\\") {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let digits = String(byte, radix: 16, uppercase: true)
            text += "\\x" + (digits.count == 1 ? "0" : "") + digits
        }
    }
    return bytes.count > 120 ? text + "…" : text
}
