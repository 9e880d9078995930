import Tensors

/// Fills in what a trigger covers in an image: the background, changed as the image differs from it around there.
///
/// The mean of other images alone would be seen as a patch of its own, in a bright image or in a dark one. (Normalised
/// convolution: Knutsson and Westin, 1993.) Around a place is the narrowest square in which anything of the place's channel is
/// known; sums over squares come from a summed-area table, so that they cost the same however wide they are.
struct Inpainting: Sendable {
    /// (C, H, W): 1 where the image is known, 0 elsewhere.
    private let known: Tensor
    /// (C, H, W)
    private let background: Tensor
    /// Of the U places that are not known: where they lie in an image's values.
    private let unknown: Tensor
    /// Of the same: the corners of their squares in the table's values, in the order in which they are added and taken away,
    /// and how many values of the square are known, (U).
    private let corners: (added: [Tensor], taken: [Tensor])
    private let counts: Tensor

    /// - Parameters:
    ///   - isKnown: (C, H, W), boolean.
    ///   - background: (C, H, W), what is usual.
    init(isKnown: Tensor, background: Tensor) throws {
        self.background = try background.contiguous()
        known = try isKnown.to(.float32)
        let (height, width) = try (known.size(1), known.size(2))
        let squares = try Squares(known.contiguous().array(), height: height, width: width)
        unknown = try Tensor(squares.places)
        corners = (try squares.added.map { try Tensor($0) }, try squares.taken.map { try Tensor($0) })
        counts = try Tensor(squares.counts)
    }

    /// Values of images that a table is made of at once.
    private static let mostValues = 1 << 24

    /// `images` (N, C, H, W) with the narrowest neighbourhood that is known anywhere for what is not.
    func fill(_ images: Tensor) throws -> Tensor {
        guard unknown.count > 0 else { return images }
        // Not the caller's memory, whatever its order.
        let filled = try images.clone().contiguous().flatten(from: 1)
        let count = try images.size(0)
        let together = max(1, Self.mostValues / background.count)
        for start in stride(from: 0, to: count, by: together) {
            let part = start..<min(start + together, count)
            try filled.rows(part).indexCopyInPlace(1, unknown, missing(images.rows(part)))
        }
        return try filled.reshape(images.shape)
    }

    /// What is filled in, (N, U).
    private func missing(_ images: Tensor) throws -> Tensor {
        let table = try Self.table((images - background) * known)
        func values(_ places: [Tensor]) throws -> Tensor {
            try places.dropFirst().reduce(table.indexSelect(1, places[0])) {
                try $0 + table.indexSelect(1, $1)
            }
        }
        let means = try ((values(corners.added) - values(corners.taken)) / counts).to(.float32)
        return try means + background.flatten().indexSelect(0, unknown)
    }

    /// The sums of all values above and to the left of each corner, (N, C (H + 1) (W + 1)). In double precision: a small square's
    /// is the difference of large sums.
    private static func table(_ values: Tensor) throws -> Tensor {
        try values.contiguous().to(.float64).cumulativeSum(2).cumulativeSum(3).pad([1, 0, 1, 0])
            .flatten(from: 1)
    }
}

/// The squares around what is not known of an image.
private struct Squares {
    /// In an image's values.
    private(set) var places: [Int] = []
    /// In the values of a summed-area table: bottom right and top left; top right and bottom left.
    private(set) var added: [[Int]] = [[], []]
    private(set) var taken: [[Int]] = [[], []]
    /// Values that are known; infinite where none is, so that the mean is 0.
    private(set) var counts: [Double] = []

    private let height, width: Int

    init(_ known: [Float], height: Int, width: Int) {
        (self.height, self.width) = (height, width)
        let table = counted(known)
        for place in known.indices where known[place] <= 0.5 {
            let (channel, y, x) = (
                place / (height * width), place / width % height, place % width
            )
            var half = 1
            while true {
                let corners = corners(channel, y, x, half)
                let count = table[corners.0] + table[corners.1] - table[corners.2] - table[corners.3]
                let isWhole = half >= max(height, width)
                if count > 0 || isWhole {
                    places.append(place)
                    added[0].append(corners.0)
                    added[1].append(corners.1)
                    taken[0].append(corners.2)
                    taken[1].append(corners.3)
                    counts.append(count > 0 ? Double(count) : .infinity)
                    break
                }
                half *= 2
            }
        }
    }

    /// How many values above and to the left of each corner are known.
    private func counted(_ known: [Float]) -> [Int] {
        let row = width + 1
        let channels = known.count / (height * width)
        var table = [Int](repeating: 0, count: channels * (height + 1) * row)
        for place in known.indices {
            let (channel, y, x) = (place / (height * width), place / width % height, place % width)
            let corner = (channel * (height + 1) + y + 1) * row + x + 1
            table[corner] =
                (known[place] > 0.5 ? 1 : 0) + table[corner - 1] + table[corner - row]
                - table[corner - row - 1]
        }
        return table
    }

    private func corners(_ channel: Int, _ y: Int, _ x: Int, _ half: Int) -> (Int, Int, Int, Int) {
        func corner(_ y: Int, _ x: Int) -> Int { (channel * (height + 1) + y) * (width + 1) + x }
        let (top, bottom) = (max(y - half, 0), min(y + half + 1, height))
        let (left, right) = (max(x - half, 0), min(x + half + 1, width))
        return (corner(bottom, right), corner(top, left), corner(top, right), corner(bottom, left))
    }
}
