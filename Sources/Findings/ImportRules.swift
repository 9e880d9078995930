/// How import options are written, shared by the REST API and the command line.
public enum ImportRules {
    /// Of an image, in pixels.
    public static let sides = 1...2_048
    /// Of a copy of the weights, in bytes.
    public static let longestWeightsName = 512

    /// What `resize` and `crop` take, in words.
    public static let resizeForm =
        "a number such as 256 (the shorter side), or 256x320; a side has 1 to \(sides.upperBound)"
    public static let sizeForm = "a number such as 224, or 224x200; a side has 1 to \(sides.upperBound)"

    /// `256`: the shorter side; `256x320`: height and width. Nil for anything else.
    public static func resize(_ text: String) -> ImportOptions.Resize? {
        if let side = Int(text) { return sides.contains(side) ? .shorterSide(side) : nil }
        return size(text).map { .exactly($0) }
    }

    /// `224`: a square; `224x200`: height and width. Nil for anything else.
    public static func size(_ text: String) -> ImportOptions.Size? {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard (1...2).contains(parts.count), parts.allSatisfy(sides.contains) else { return nil }
        return ImportOptions.Size(height: parts[0], width: parts[parts.count - 1])
    }
}
