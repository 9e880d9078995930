import Graph

/// A tensor anywhere in a file of weights alone.
struct TableRow {
    /// The keys that lead to it, joined by dots.
    var path: String
    /// The path of the dict that holds it.
    var container: String
    var shape: [Int]
    var isFloating: Bool
    /// Where its bytes lie; nil for one that can't be written to.
    var weight: StoredWeight?
}
