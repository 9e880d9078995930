import Support

extension OperatorCatalog {
    /// Operators that pick elements or write parts, and bounded creation.
    static let indexing: [OperatorRule] =
        group(
            OperatorCall.index, "aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor")
        + group(
            OperatorCall.indexPut,
            "aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor")
        + group(
            OperatorCall.indexSelect,
            "aten::index_select(Tensor self, int dim, Tensor index) -> Tensor")
        + group(
            OperatorCall.gather,
            "aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor")
        + group(OperatorCall.oneHot, "aten::one_hot(Tensor self, SymInt num_classes=-1) -> Tensor")
        + group(
            OperatorCall.kthValue,
            "aten::kthvalue(Tensor self, SymInt k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)"
        )
        + group(
            OperatorCall.difference,
            "aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor"
        )
        + group(OperatorCall.rotated, "aten::rot90(Tensor self, int k=1, int[] dims=[0, 1]) -> Tensor")
        + group(
            OperatorCall.topK,
            "aten::topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)"
        )
        + group(
            OperatorCall.sort,
            """
            aten::sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)
            aten::argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor
            """)
        + group(
            OperatorCall.embedding,
            "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor"
        )
        + group(
            OperatorCall.sliceScatter,
            "aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> Tensor"
        )
        + group(
            OperatorCall.selectScatter,
            "aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor")
        + group(
            OperatorCall.repeated,
            """
            aten::repeat(Tensor self, SymInt[] repeats) -> Tensor
            aten::tile(Tensor self, SymInt[] dims) -> Tensor
            """)
        + group(
            OperatorCall.repeatInterleave,
            "aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) -> Tensor"
        )
        + group(
            OperatorCall.arange,
            """
            aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            """)
        + group(
            OperatorCall.meshgrid,
            "aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]")
        + group(
            OperatorCall.scalarTensor,
            "aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor"
        )
        + group(
            OperatorCall.creation,
            """
            aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor
            """)

    /// Operators that change the resolution, or trade it for channels.
    static let resampling: [OperatorRule] =
        group(
            OperatorCall.upsample,
            """
            aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor
            aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor
            aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor
            aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor
            aten::_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor
            aten::_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor
            aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor
            """)
        + group(
            OperatorCall.pixelShuffle,
            """
            aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor
            aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor
            """)
        + group(
            OperatorCall.channelShuffle,
            "aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor")
        + group(
            OperatorCall.affineGrid,
            "aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor")
        + group(
            OperatorCall.gridSampler,
            """
            aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor
            aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor
            """)
        + group(OperatorCall.glu, "aten::glu(Tensor self, int dim=-1) -> Tensor")
        + group(
            OperatorCall.unfold,
            "aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor"
        )
        + group(
            OperatorCall.fold,
            "aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor"
        )
        + group(
            OperatorCall.slide, "aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)"
        )
}
