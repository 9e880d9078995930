import Foundation
import Support

/// A keyset cursor: the last row's sort key and id, and the query they belong to, as base64url.
///
/// It holds no secret and gives no rights; a changed one is either refused or names another position.
struct Cursor: Equatable {
    /// Names the listing, its filters and its order.
    var query: String
    /// Bit pattern of the sort key, where that is a real number; else 0.
    var key: UInt64
    /// The unique tie-breaker.
    var row: Int64

    var text: String {
        Data("\(key)|\(row)|\(query)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    init(query: String, key: Double = 0, row: Int64) {
        self.query = query
        self.key = key.bitPattern
        self.row = row
    }

    /// - Throws: `Problem` `invalid-cursor`.
    init(_ text: String, of query: String) throws {
        let invalid = Problem(
            .malformed, code: "invalid-cursor", title: "The cursor is not valid",
            detail: "It is not a next_cursor of a listing with these filters and this order.",
            location: "cursor", fix: "Leave the cursor out to start from the first page.")
        guard text.utf8.count <= 1_000 else { throw invalid }
        let padded =
            text.replacing("-", with: "+").replacing("_", with: "/")
            + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded), let plain = String(data: data, encoding: .utf8) else {
            throw invalid
        }
        let parts = plain.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let key = UInt64(parts[0]), let row = Int64(parts[1]), parts[2] == query,
            Double(bitPattern: key).isFinite
        else { throw invalid }
        self.query = query
        self.key = key
        self.row = row
    }

    var real: Double { Double(bitPattern: key) }
}
