import Findings
import Foundation

/// Orders that programs put class names into.
enum KnownOrders {
    /// Those that may stand for `names` among so many outputs: class to output.
    static func all(_ names: [String], outputs count: Int) -> [(kind: SuggestedOrder.Kind, order: [Int])] {
        var orders: [(kind: SuggestedOrder.Kind, order: [Int])] = [
            (.sorted, ranks(names) { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }),
            (.caseInsensitive, ranks(names) { ($0.lowercased(), $0) < ($1.lowercased(), $1) }),
            (.natural, ranks(names) { isNaturallyBefore($0.lowercased(), $1.lowercased()) }),
        ]
        let numbers = names.compactMap { Int($0) }
        if numbers.count == names.count, Set(numbers).count == numbers.count {
            orders.append((.numbers, numbers))
            orders.append((.numbersFromOne, numbers.map { $0 &- 1 }))
        }
        var seen: Set<[Int]> = []
        return orders.filter { _, order in
            order.allSatisfy { (0..<count).contains($0) } && seen.insert(order).inserted
        }
    }

    /// The place of each name once they are sorted.
    private static func ranks(_ names: [String], by precedes: (String, String) -> Bool) -> [Int] {
        var ranks = Array(repeating: 0, count: names.count)
        let sorted = names.indices.sorted {
            precedes(names[$0], names[$1]) || (!precedes(names[$1], names[$0]) && $0 < $1)
        }
        for (rank, place) in sorted.enumerated() { ranks[place] = rank }
        return ranks
    }

    /// Runs of digits by their value, all else by its characters.
    static func isNaturallyBefore(_ one: String, _ other: String) -> Bool {
        let (first, second) = (pieces(one), pieces(other))
        for (a, b) in zip(first, second) where a != b {
            guard let x = a.number, let y = b.number, x != y else { return a.text < b.text }
            return x < y
        }
        return first.count < second.count
    }

    private struct Piece: Equatable {
        var text: String
        /// Digits without leading zeros, by length and then by value; nil for other text.
        var number: Digits?
    }

    private struct Digits: Equatable, Comparable {
        var text: String
        static func < (one: Digits, other: Digits) -> Bool {
            (one.text.count, one.text) < (other.text.count, other.text)
        }
    }

    private static func pieces(_ name: String) -> [Piece] {
        var pieces: [Piece] = []
        for character in name {
            let isDigit = ("0"..."9").contains(character)
            if let last = pieces.indices.last, (pieces[last].number != nil) == isDigit {
                pieces[last].text.append(character)
            } else {
                pieces.append(Piece(text: String(character), number: isDigit ? Digits(text: "") : nil))
            }
        }
        for place in pieces.indices where pieces[place].number != nil {
            pieces[place].number = Digits(text: String(pieces[place].text.drop { $0 == "0" }))
        }
        return pieces
    }
}
