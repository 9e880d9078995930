/// The assignment of rows to columns, each column at most once, with the largest sum of weights.
///
/// Shortest augmenting paths with dual potentials (Jonker and Volgenant, Computing 38, 1987), in whole numbers: exact, and
/// O(rows² · columns) at worst. Rows that can have the column they like best take it at once, so that only those in conflict
/// cost anything.
public enum LinearAssignment {
    /// - Parameters:
    ///   - weights: a row for each, with at least as many columns as there are rows; sums must not overflow.
    ///   - preferred: of assignments with the same sum, the one is taken that gives the most rows these columns.
    /// - Returns: a column for each row.
    public static func maximising(_ weights: [[Int]], preferring preferred: [Int?]) -> [Int] {
        guard let columns = weights.first?.count else { return [] }
        precondition(weights.count <= columns, "there is a column for every row")
        // One more than all preferences together: these only ever break ties.
        let scale = weights.count + 1
        var costs = weights.map { row in row.map { -$0 * scale } }
        for (row, column) in preferred.enumerated() {
            if let column { costs[row][column] -= 1 }
        }
        var search = Search(costs: costs, columns: columns)
        for row in search.takeFavourites() { search.augment(from: row) }
        return search.columnOfRow
    }

    private struct Search {
        let costs: [[Int]]
        let columns: Int
        var columnOfRow: [Int]
        var rowOfColumn: [Int]
        /// Dual potentials: costs[r][c] - rowPrice[r] - columnPrice[c] is never below 0, and 0 for what is assigned.
        var rowPrice: [Int]
        var columnPrice: [Int]

        init(costs: [[Int]], columns: Int) {
            self.costs = costs
            self.columns = columns
            columnOfRow = Array(repeating: -1, count: costs.count)
            rowOfColumn = Array(repeating: -1, count: columns)
            rowPrice = costs.map { $0.min() ?? 0 }
            columnPrice = Array(repeating: 0, count: columns)
        }

        /// - Returns: rows whose cheapest column another one has taken.
        mutating func takeFavourites() -> [Int] {
            costs.indices.filter { row in
                guard let column = costs[row].firstIndex(of: rowPrice[row]), rowOfColumn[column] < 0 else {
                    return true
                }
                (columnOfRow[row], rowOfColumn[column]) = (column, row)
                return false
            }
        }

        /// Dijkstra's search over reduced costs from a free row to the nearest free column, then the exchange along that path.
        mutating func augment(from start: Int) {
            var distance = Array(repeating: Int.max, count: columns)
            var cameFrom = Array(repeating: start, count: columns)
            var open = Array(0..<columns)
            var settled: [Int] = []
            var (row, travelled) = (start, 0)
            while true {
                let prices = costs[row]
                var nearest = 0
                for place in open.indices {
                    let column = open[place]
                    let length = travelled + prices[column] - rowPrice[row] - columnPrice[column]
                    if length < distance[column] { (distance[column], cameFrom[column]) = (length, row) }
                    if distance[column] < distance[open[nearest]] { nearest = place }
                }
                let column = open[nearest]
                travelled = distance[column]
                if rowOfColumn[column] < 0 {
                    reprice(settled, distance, start: start, length: travelled)
                    return exchange(endingAt: column, start: start, cameFrom)
                }
                open.swapAt(nearest, open.count - 1)
                open.removeLast()
                settled.append(column)
                row = rowOfColumn[column]
            }
        }

        private mutating func reprice(_ settled: [Int], _ distance: [Int], start: Int, length: Int) {
            rowPrice[start] += length
            for column in settled {
                rowPrice[rowOfColumn[column]] += length - distance[column]
                columnPrice[column] -= length - distance[column]
            }
        }

        private mutating func exchange(endingAt last: Int, start: Int, _ cameFrom: [Int]) {
            var column = last
            while true {
                let row = cameFrom[column]
                let former = columnOfRow[row]
                (columnOfRow[row], rowOfColumn[column]) = (column, row)
                if row == start { return }
                column = former
            }
        }
    }
}
