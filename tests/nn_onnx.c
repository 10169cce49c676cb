/*
 * Operations of ONNX nets against values computed by hand
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */


#include "onnx_write.h"
#include "tap.h"

#include "libavutil/error.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"
#include "libavfilter/nn_net.h"

#define MAX_T 8

/*
 * A node: its inputs and outputs are tensors "2,3:1 2 3 4 5 6" (of integers: "i2:1 2"), separated
 * by "|"; nothing is an absent input. An output "!words" means that the net is refused in one line
 * that has these words in it.
 */
typedef struct Case {
    int opset;
    const char *op, *attrs, *in, *out;
} Case;

static const Case cases[] = {
    /* broadcasting, types */
    { 13, "Add", "", "2,1:1 2|3:10 20 30", "2,3:11 21 31 12 22 32" },
    { 13, "Sub", "", "i3:5 6 7|i:2", "i3:3 4 5" },
    { 13, "Mul", "", "1,1,2,2:1 2 3 4|2,1,1:1 10", "1,2,2,2:1 2 3 4 10 20 30 40" },
    { 13, "Div", "", "i4:7 -7 7 -7|i4:2 2 -2 -2", "i4:3 -3 -3 3" },
    { 13, "Div", "", "i1:7|i1:0", "!divides an integer by 0" },
    { 13, "Add", "", "2:1 2|3:1 2 3", "!do not go together" },
    { 13, "Add", "", "2:1 2|i2:1 2", "!integers where it needs" },
    { 13, "Pow", "", "3:2 3 4|i:2", "3:4 9 16" },
    { 13, "Pow", "", "i3:2 3 -2|i3:10 2 3", "i3:1024 9 -8" },
    { 13, "Mod", "", "i4:7 -7 7 -7|i4:3 3 -3 -3", "i4:1 2 -2 -1" },
    { 13, "Mod", "fmod=1", "4:7.5 -7.5 7.5 -7.5|4:2 2 -2 -2", "4:1.5 -1.5 1.5 -1.5" },
    { 13, "Min", "", "3:1 5 3|3:4 2 6|1:2.5", "3:1 2 2.5" },
    { 13, "Max", "", "i2:1 5", "i2:1 5" },
    { 13, "Equal", "", "3:1 2 3|3:1 5 3", "i3:1 0 1" },
    { 13, "Less", "", "i3:1 2 3|i:2", "i3:1 0 0" },
    { 16, "LessOrEqual", "", "3:1 2 3|:2", "i3:1 1 0" },
    { 13, "Greater", "", "3:1 2 3|:2", "i3:0 0 1" },
    { 16, "GreaterOrEqual", "", "3:1 2 3|:2", "i3:0 1 1" },
    { 13, "And", "", "i4:1 1 0 0|i4:1 0 1 0", "i4:1 0 0 0" },
    { 13, "Or", "", "i4:1 1 0 0|i4:1 0 1 0", "i4:1 1 1 0" },
    { 13, "Not", "", "i3:1 0 2", "i3:0 1 0" },
    { 16, "Where", "", "i2,1:1 0|1,2:1 2|:9", "2,2:1 2 9 9" },
    /* one input */
    { 13, "Relu", "", "3:-1 0 2", "3:0 0 2" },
    { 16, "LeakyRelu", "alpha=0.5", "3:-1 0 2", "3:-0.5 0 2" },
    { 16, "PRelu", "", "1,2,1,2:-1 1 -2 2|2,1,1:0.5 3", "1,2,1,2:-0.5 1 -6 2" },
    { 16, "PRelu", "", "2:-1 1|2,2:1 2 3 4", "!slopes" },
    { 13, "Sigmoid", "", "3:0 100 -100", "3:0.5 1 0" },
    { 14, "HardSigmoid", "", "3:0 10 -10", "3:0.5 1 0" },
    { 14, "HardSwish", "", "3:-4 0 3", "3:0 0 3" },
    { 13, "Exp", "", "2:0 1", "2:1 2.7182818" },
    { 13, "Log", "", "2:1 2.7182818", "2:0 1" },
    { 13, "Sqrt", "", "2:4 9", "2:2 3" },
    { 13, "Tanh", "", "2:0 0.5", "2:0 0.46211716" },
    { 13, "Erf", "", "2:0 0.5", "2:0 0.52049988" },
    { 13, "Neg", "", "i2:3 -4", "i2:-3 4" },
    { 13, "Abs", "", "2:3 -4", "2:3 4" },
    { 13, "Floor", "", "2:1.5 -1.5", "2:1 -2" },
    { 13, "Ceil", "", "2:1.5 -1.5", "2:2 -1" },
    { 13, "Round", "", "5:0.5 1.5 2.5 -0.5 -1.5", "5:0 2 2 0 -2" },
    { 13, "Reciprocal", "", "2:2 -4", "2:0.5 -0.25" },
    { 13, "Clip", "", "3:-5 0 5|:-1|:2", "3:-1 0 2" },
    { 13, "Clip", "", "3:-5 0 5||:2", "3:-5 0 2" },
    { 10, "Clip", "min=-1.0 max=3.0", "3:-5 0 5", "3:-1 0 3" },
    { 13, "Cast", "to=7", "4:1.9 -1.9 0 300", "i4:1 -1 0 300" },
    { 13, "Cast", "to=9", "3:0.5 0 -1", "i3:1 0 1" },
    { 13, "Cast", "to=2", "i2:300 -1", "i2:44 255" },
    { 13, "Cast", "to=1", "i2:3 -4", "2:3 -4" },
    { 13, "Cast", "to=8", "i2:3 -4", "!type 8" },
    { 15, "BatchNormalization", "epsilon=0.0", "1,2,1,2:1 2 3 4|2:2 1|2:0 5|2:1 0|2:4 1", "1,2,1,2:0 1 8 9" },
    /* moving */
    { 13, "Concat", "axis=-1", "2,1:1 2|2,2:3 4 5 6", "2,3:1 3 4 2 5 6" },
    { 13, "Concat", "axis=0", "2,1:1 2|2,2:3 4 5 6", "!sizes differ" },
    { 13, "Split", "axis=1", "2,4:1 2 3 4 5 6 7 8|i2:1 3", "2,1:1 5|2,3:2 3 4 6 7 8" },
    { 11, "Split", "axis=0 split=[1,2]", "3:1 2 3", "1:1|2:2 3" },
    { 18, "Split", "num_outputs=2", "3:1 2 3", "2:1 2|1:3" },
    { 13, "Split", "axis=0", "3:1 2 3|i1:4", "!are left" },
    { 13, "Split", "axis=0", "3:1 2 3|i1:2", "!leave 1 over" },
    { 13, "Split", "axis=0", "3:1 2 3|i2:2 1", "!at most 1 integers" },
    { 13, "Slice", "", "2,4:1 2 3 4 5 6 7 8|i2:0 1|i2:1 1000|i2:0 1|i2:1 2", "1,2:2 4" },
    { 13, "Slice", "", "4:1 2 3 4|i1:-1|i1:-1000|i1:0|i1:-1", "4:4 3 2 1" },
    { 13, "Slice", "", "4:1 2 3 4|i1:3|i1:0|i1:0|i1:-2", "2:4 2" },
    { 13, "Slice", "", "4:1 2 3 4|i1:0|i1:9223372036854775807|i1:-1|i1:9223372036854775807", "1:1" },
    { 13, "Slice", "", "4:1 2 3 4|i1:3|i1:-9223372036854775808|i1:0|i1:-9223372036854775808", "1:4" },
    { 13, "Slice", "", "4:1 2 3 4|i1:3|i1:1", "0:" },
    { 13, "Slice", "", "4:1 2 3 4|i1:0|i1:1|i1:0|i1:0", "!step 0" },
    { 9,  "Slice", "starts=[1] ends=[3]", "4:1 2 3 4", "2:2 3" },
    { 13, "Pad", "", "2:1 2|i2:1 2|:9", "5:9 1 2 9 9" },
    { 13, "Pad", "", "3:1 2 3|i2:-1 1", "3:2 3 0" },
    { 13, "Pad", "mode=reflect", "3:1 2 3|i2:2 1", "6:3 2 1 2 3 2" },
    { 13, "Pad", "mode=edge", "2:1 2|i2:1 2", "5:1 1 2 2 2" },
    { 13, "Pad", "mode=reflect", "2:1 2|i2:2 0", "!reflects more" },
    { 18, "Pad", "", "1,2:1 2|i2:1 0||i1:-1", "1,3:0 1 2" },
    { 9,  "Pad", "pads=[1,0] value=7.0", "1:1", "2:7 1" },
    { 13, "Pad", "mode=wrap", "2:1 2|i2:1 0", "!mode='wrap'" },
    { 13, "Transpose", "", "2,3:1 2 3 4 5 6", "3,2:1 4 2 5 3 6" },
    { 13, "Transpose", "perm=[1,0,2]", "2,2,2:1 2 3 4 5 6 7 8", "2,2,2:1 2 5 6 3 4 7 8" },
    { 13, "Transpose", "perm=[0,0]", "2,3:1 2 3 4 5 6", "!order of axes" },
    { 13, "Reshape", "", "2,3:1 2 3 4 5 6|i2:0 -1", "2,3:1 2 3 4 5 6" },
    { 14, "Reshape", "", "i6:1 2 3 4 5 6|i3:3 1 -1", "i3,1,2:1 2 3 4 5 6" },
    { 14, "Reshape", "", "6:1 2 3 4 5 6|i1:4", "!makes 4 values from 6" },
    { 14, "Reshape", "", "6:1 2 3 4 5 6|i2:-1 -1", "!dimension -1" },
    { 13, "Flatten", "axis=2", "1,2,3:1 2 3 4 5 6", "2,3:1 2 3 4 5 6" },
    { 13, "Squeeze", "", "1,2,1:1 2|i1:-1", "1,2:1 2" },
    { 13, "Squeeze", "", "1,2,1:1 2", "2:1 2" },
    { 11, "Squeeze", "axes=[0]", "1,2,1:1 2", "2,1:1 2" },
    { 13, "Squeeze", "", "1,2:1 2|i1:1", "!removes axis 1" },
    { 13, "Unsqueeze", "", "2:1 2|i2:0 -1", "1,2,1:1 2" },
    { 11, "Unsqueeze", "axes=[1]", "2:1 2", "2,1:1 2" },
    { 13, "Unsqueeze", "", "2:1 2|i2:0 0", "!names axis 0 twice" },
    { 13, "Expand", "", "2,1:1 2|i3:2 1 2", "2,2,2:1 1 2 2 1 1 2 2" },
    { 13, "Tile", "", "1,2:1 2|i2:2 2", "2,4:1 2 1 2 1 2 1 2" },
    { 13, "Gather", "axis=1", "2,3:1 2 3 4 5 6|i2:-1 0", "2,2:3 1 6 4" },
    { 13, "Gather", "", "i3:7 8 9|i:1", "i:8" },
    { 13, "Gather", "", "3:7 8 9|i1:3", "!at 3 of 3" },
    { 13, "GatherElements", "axis=1", "2,2:1 2 3 4|i2,2:0 0 1 -2", "2,2:1 1 4 3" },
    { 13, "GatherND", "", "2,2:1 2 3 4|i2,2:0 1 1 0", "2:2 3" },
    { 13, "GatherND", "", "2,2:1 2 3 4|i1,1:1", "1,2:3 4" },
    { 13, "ScatterND", "", "4:1 2 3 4|i2,1:3 0|2:9 8", "4:8 2 3 9" },
    { 13, "ScatterElements", "axis=1", "1,3:1 2 3|i1,2:2 0|1,2:9 8", "1,3:8 2 9" },
    { 16, "ScatterND", "reduction=add", "4:1 2 3 4|i1,1:3|1:9", "!reduction='add'" },
    { 13, "NonZero", "", "2,2:1 0 3 4", "i2,3:0 1 1 0 0 1" },
    { 15, "Shape", "start=1", "2,3,4:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24", "i2:3 4" },
    { 13, "Size", "", "2,3:1 2 3 4 5 6", "i:6" },
    { 13, "Range", "", "i:1|i:8|i:3", "i3:1 4 7" },
    { 13, "Range", "", ":1|:0|:-0.5", "2:1 0.5" },
    { 13, "Range", "", "i:1|i:8|i:0", "!range of" },
    { 13, "ConstantOfShape", "", "i2:2 1", "2,1:0 0" },
    { 13, "ConstantOfShape", "", "i2:200000000 100000000", "!absurd size" },
    { 13, "Identity", "", "2:1 2", "2:1 2" },
    { 12, "Dropout", "", "2:1 2", "2:1 2" },
    /* windows */
    { 13, "Conv", "", "1,1,3,3:1 2 3 4 5 6 7 8 9|1,1,2,2:1 0 0 1", "1,1,2,2:6 8 12 14" },
    { 13, "Conv", "pads=[1,1,1,1] strides=[2,2]", "1,1,3,3:1 2 3 4 5 6 7 8 9|1,1,3,3:1 1 1 1 1 1 1 1 1|1:100",
      "1,1,2,2:112 116 124 128" },
    { 13, "Conv", "group=2", "1,2,1,2:1 2 3 4|2,1,1,1:10 100|2:1 2", "1,2,1,2:11 21 302 402" },
    { 13, "Conv", "dilations=[1,2]", "1,1,1,5:1 2 3 4 5|1,1,1,2:1 10", "1,1,1,3:31 42 53" },
    { 13, "Conv", "auto_pad=SAME_UPPER strides=[1,2]", "1,1,1,4:1 2 3 4|1,1,1,3:1 1 1", "1,1,1,2:6 7" },
    { 13, "Conv", "auto_pad=SAME_LOWER strides=[1,2]", "1,1,1,4:1 2 3 4|1,1,1,3:1 1 1", "1,1,1,2:3 9" },
    { 13, "Conv", "", "1,1,4:1 2 3 4|1,1,2:1 1", "!dimensions" },
    { 13, "Conv", "kernel_shape=[2]", "1,1,4:1 2 3 4|1,1,2:1 1", "!two-dimensional" },
    { 13, "Conv", "", "1,2,2,2:1 2 3 4 5 6 7 8|1,1,1,1:1", "!weights for" },
    { 13, "Conv", "group=3", "1,2,1,1:1 2|2,1,1,1:1 1", "!groups" },
    { 13, "ConvTranspose", "strides=[2,2]", "1,1,1,2:1 2|1,1,2,2:1 2 3 4", "1,1,2,4:1 2 2 4 3 4 6 8" },
    { 13, "ConvTranspose", "pads=[0,1,0,1] output_padding=[0,1] strides=[1,2]", "1,1,1,2:1 2|1,1,1,3:1 10 100|1:5",
      "1,1,1,4:15 107 25 205" },
    { 13, "ConvTranspose", "output_shape=[4,4]", "1,1,1,2:1 2|1,1,1,3:1 10 100", "!output_shape" },
    { 13, "MaxPool", "kernel_shape=[2,2] strides=[2,2]", "1,1,2,4:1 2 3 4 5 6 7 8", "1,1,1,2:6 8" },
    { 13, "MaxPool", "kernel_shape=[1,3] pads=[0,1,0,1]", "1,1,1,3:-1 -2 -3", "1,1,1,3:-1 -1 -2" },
    { 13, "MaxPool", "kernel_shape=[1,2] strides=[1,2] ceil_mode=1", "1,1,1,3:1 2 3", "1,1,1,2:2 3" },
    { 13, "AveragePool", "kernel_shape=[1,2] pads=[0,1,0,1]", "1,1,1,2:2 4", "1,1,1,3:2 3 4" },
    { 13, "AveragePool", "kernel_shape=[1,2] pads=[0,1,0,1] count_include_pad=1", "1,1,1,2:2 4", "1,1,1,3:1 3 2" },
    { 13, "GlobalAveragePool", "", "1,2,1,2:1 3 5 9", "1,2,1,1:2 7" },
    /* resizing */
    { 13, "Resize", "mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor",
      "1,1,1,2:1 2||4:1 1 2 2",
      "1,1,2,4:1 1 2 2 1 1 2 2" },
    { 13, "Resize", "mode=nearest", "1,1,1,4:1 2 3 4|||i4:1 1 1 2", "1,1,1,2:1 3" },
    { 13, "Resize", "mode=nearest nearest_mode=round_prefer_ceil", "1,1,1,4:1 2 3 4|||i4:1 1 1 2", "1,1,1,2:2 4" },
    { 13, "Resize", "mode=nearest nearest_mode=ceil", "1,1,1,4:1 2 3 4|||i4:1 1 1 3", "1,1,1,3:2 3 4" },
    { 13, "Resize", "mode=linear", "1,1,1,2:0 4|||i4:1 1 1 4", "1,1,1,4:0 1 3 4" },
    { 13, "Resize", "mode=linear coordinate_transformation_mode=align_corners", "1,1,1,2:0 3|||i4:1 1 1 4",
      "1,1,1,4:0 1 2 3" },
    { 13, "Resize", "mode=cubic", "1,1,1,4:1 1 1 1|||i4:1 1 1 7", "1,1,1,7:1 1 1 1 1 1 1" },
    { 13, "Resize", "mode=linear coordinate_transformation_mode=tf_crop_and_resize", "1,1,1,2:0 4|||i4:1 1 1 4",
      "!tf_crop_and_resize" },
    { 18, "Resize", "mode=linear antialias=1", "1,1,1,2:0 4|||i4:1 1 1 4", "!antialias=1" },
    { 10, "Resize", "mode=nearest", "1,1,1,2:1 2|4:1 1 1 2", "1,1,1,4:1 1 2 2" },
    { 9,  "Upsample", "mode=nearest", "1,1,1,2:1 2|4:1 1 1 2", "1,1,1,4:1 1 2 2" },
    { 13, "DepthToSpace", "blocksize=2", "1,8,1,1:0 1 2 3 4 5 6 7", "1,2,2,2:0 2 4 6 1 3 5 7" },
    { 13, "DepthToSpace", "blocksize=2 mode=CRD", "1,8,1,1:0 1 2 3 4 5 6 7", "1,2,2,2:0 1 2 3 4 5 6 7" },
    { 13, "SpaceToDepth", "blocksize=2", "1,2,2,2:0 2 4 6 1 3 5 7", "1,8,1,1:0 1 2 3 4 5 6 7" },
    /* matrices, reductions */
    { 13, "MatMul", "", "2,2:1 2 3 4|2,1:5 6", "2,1:17 39" },
    { 13, "MatMul", "", "2:1 2|2,2,2:1 2 3 4 5 6 7 8", "2,2:7 10 19 22" },
    { 13, "MatMul", "", "2:1 2|2:3 4", ":11" },
    { 13, "MatMul", "", "2,3:1 2 3 4 5 6|2,1:5 6", "!do not go together" },
    { 13, "Gemm", "transB=1 alpha=2.0 beta=3.0", "1,2:1 2|2,2:1 2 3 4|2:1 10", "1,2:13 52" },
    { 13, "Softmax", "axis=0", "2,2:0 1 0 1", "2,2:0.5 0.5 0.5 0.5" },
    { 12, "Softmax", "axis=0", "2,2:0 0 0 0", "2,2:0.25 0.25 0.25 0.25" },
    { 13, "ReduceMax", "axes=[1] keepdims=0", "2,2:1 4 3 2", "2:4 3" },
    { 18, "ReduceMin", "keepdims=1", "2,2:1 4 3 2|i1:0", "1,2:1 2" },
    { 13, "ReduceSum", "keepdims=0", "i2,2:1 4 3 2", "i:10" },
    { 13, "ReduceMean", "axes=[-1]", "2,2:1 4 3 2", "2,1:2.5 2.5" },
    { 13, "ArgMax", "axis=1 keepdims=0", "2,3:1 9 9 5 4 3", "i2:1 0" },
    { 13, "TopK", "", "4:1 3 3 2|i1:3", "3:3 3 2|i3:1 2 3" },
    { 13, "TopK", "largest=0 axis=0", "3,1:3 1 2|i1:2", "2,1:1 2|i2,1:1 2" },
    { 13, "TopK", "", "i3:1 2 3|i1:4", "!first 4 of 3" },
    /* boxes 0 and 1 overlap by 0.8 / 1.2, box 2 stands alone and scores too little */
    { 13, "NonMaxSuppression", "", "1,3,4:0 0 1 1 0 0.2 1 1.2 5 5 6 6|1,1,3:0.8 0.9 0.1|i:10|:0.5|:0.2", "i1,3:0 0 1" },
    { 13, "NonMaxSuppression", "", "1,3,4:0 0 1 1 0 0.2 1 1.2 5 5 6 6|1,1,3:0.8 0.9 0.1|i:10|:0.7|:0",
      "i3,3:0 0 1 0 0 0 0 0 2" },
    { 13, "NonMaxSuppression", "center_point_box=1", "1,2,4:1 1 2 2 1 1 2 2|1,2,2:0.8 0.9 0.3 0.2|i:1|:0.5|:0",
      "i2,3:0 0 1 0 1 0" },
    { 13, "NonMaxSuppression", "", "1,1,4:0 0 1 1|1,1,1:0.8", "i0,3:" },
    /* what is refused */
    { 13, "Einsum", "equation=ij,jk->ik", "2,2:1 2 3 4|2,1:5 6", "!not supported: export" },
    { 13, "Silu", "", "1:1", "!not supported" },
    { 13, "Relu", "slope=1", "1:1", "!attribute 'slope'" },
    { 13, "Relu", "", "1:1|1:1", "!more than it can have" },
    { 13, "Add", "", "1:1", "!lacks input 1" },
    { 13, "Concat", "axis=5", "1:1", "!axis 5 of 1" },
    { 13, "Concat", "axis=0.5", "1:1", "!another type" },
    { 13, "TopK", "axis=99999999999", "1:1|i1:1", "!axis=99999999999" },
    { 8,  "Relu", "", "1:1", "!operator set 8" },
    { 99, "Relu", "", "1:1", "!operator set 99" },
};

/* ---- tensors as text ---------------------------------------------------------------------- */

typedef struct Text {
    int     ints, nb_dims;
    char    shape[64];
    int64_t dims[16], nb;
    float   f[64];
    int64_t i[64];
} Text;

/* @return the text after the tensor; t->nb_dims is -1 if it is absent */
static const char *parse(Text *t, const char *s)
{
    const size_t n = strcspn(s, ":|");

    memset(t, 0, sizeof(*t));
    t->nb_dims = -1;
    if (s[n] != ':')
        return s + n + (s[n] == '|');
    t->ints = *s == 'i';
    snprintf(t->shape, sizeof(t->shape), "%.*s", (int)(n - t->ints), s + t->ints);
    t->nb_dims = onnx_dims(t->shape, t->dims, &t->nb);
    s += n + 1;
    for (int k = 0; k < t->nb && k < 64 && *s && *s != '|'; k++) {
        char *end;
        t->f[k] = strtod(s, &end);
        t->i[k] = strtoll(s, NULL, 10);
        s = end;
    }
    return s + (*s == '|');
}

static int same(const NNTensor *t, const Text *want)
{
    int ok = t->nb_dims == want->nb_dims && t->nb == want->nb && (t->type == NN_VAL_I64) == want->ints;

    for (int k = 0; k < t->nb_dims && ok; k++)
        ok = t->dims[k] == want->dims[k];
    for (int k = 0; k < t->nb && ok; k++)
        ok = want->ints ? ((int64_t *)t->data)[k] == want->i[k]
                        : fabsf(((float *)t->data)[k] - want->f[k]) <= 1e-6f * fmaxf(1, fabsf(want->f[k]));
    return ok;
}

/* ---- a case ---------------------------------------------------------------------------------- */

/* the file; picture: the first input is fed by the caller instead of lying in the file */
static Bytes write_case(const Case *c, int picture, Text *first)
{
    OnnxW w = onnx_begin(c->opset);
    char in[64] = "", out[64] = "";
    const char *s = c->in;

    for (int k = 0; *s; k++) {
        char name[2] = { 'a' + k };
        Text t;
        s = parse(&t, s);
        if (!k)
            *first = t;
        snprintf(in + strlen(in), sizeof(in) - strlen(in), "%s%s", k ? "," : "", t.nb_dims < 0 ? "" : name);
        if (!k && picture)
            onnx_input(&w, name, "-1,-1,-1,-1");
        else if (t.nb_dims >= 0 && t.ints)
            onnx_i64(&w, name, t.shape, t.i);
        else if (t.nb_dims >= 0)
            onnx_f32(&w, name, t.shape, t.f);
    }
    if (!picture)
        onnx_input(&w, "picture", "1,1,1,1");
    for (int k = 0; !k || (c->out[0] != '!' && strchr(c->out, '|') && k < 2); k++) {
        char name[2] = { 'p' + k };
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", k ? "," : "", name);
        onnx_output(&w, name);
    }
    onnx_node(&w, c->op, in, out, c->attrs);
    return onnx_end(&w);
}

/* loads, shapes, runs; @return 0 or AVERROR; the runner stays open for its outputs */
static int run_case(const Bytes *f, int picture, const Text *first, NNNet **shaped, NNNetRunner *r, NNTensor *out)
{
    const NNConfig cfg = { .nb_slots = 1 };
    const float zero = 0;
    NNBlob b = blob(f, "f");
    NNNet *net = NULL;
    int ret = ff_nn_load_onnx(&net, &b, NULL);

    if (ret >= 0)
        ret = picture ? ff_nn_net_shape(shaped, net, first->dims[0], first->dims[1], first->dims[2], first->dims[3],
                                        NULL)
                      : ff_nn_net_shape(shaped, net, 1, 1, 1, 1, NULL);
    ff_nn_net_free(&net);
    if (ret >= 0 && (ret = ff_nn_net_open(r, "ref", *shaped, &cfg, 1)) >= 0)
        ret = r->engine->run(r->ctx, 0, picture ? first->f : &zero, out);
    return ret;
}

static void test_case(const Case *c, int picture)
{
    Text first = { 0 };
    Bytes f = write_case(c, picture, &first);
    NNNet *shaped = NULL;
    NNNetRunner r = { 0 };
    NNTensor out[MAX_T];
    int ret, ok;

    nets_forget();
    ret = run_case(&f, picture, &first, &shaped, &r, out);
    if (c->out[0] == '!') {
        ok = (ret == AVERROR_INVALIDDATA || ret == AVERROR_PATCHWELCOME) && nets_nb_errors == 1 &&
        strstr(nets_last_error, c->out + 1);
        tap_ok(ok, "%s %d %s: refused: %s", c->op, c->opset, c->attrs, nets_last_error);
    } else {
        const char *s = c->out;
        ok = ret >= 0 && shaped->nb_outputs == 1 + !!strchr(c->out, '|');
        for (int k = 0; ok && k < shaped->nb_outputs; k++) {
            Text want;
            s  = parse(&want, s);
            ok = same(&out[k], &want);
        }
        tap_ok(ok && !nets_nb_errors, "%s %d %s%s: %s %s", c->op, c->opset, c->attrs, picture ? " of a picture" : "",
               c->out, nets_last_error);
    }
    ff_nn_net_close(&r);
    ff_nn_net_free(&shaped);
    bytes_free(&f);
}

int main(void)
{
    av_log_set_callback(nets_log);
    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++) {
        Text first;
        parse(&first, cases[i].in);
        test_case(&cases[i], 0);
        if (first.nb_dims == 4 && !first.ints)
            test_case(&cases[i], 1);
    }
    return tap_done();
}
