"""What the records of forms usually hold: packed against it they take a third of the room (``deflate.squeeze``).

Any texts would do; what is spelled as the program spells it helps most, and what occurs in most forms stands last. A
record is read with the texts it was packed with: whoever changes one of them begins a new format of the manifest.
"""

USUAL_HEAD = (
    '{"code":"S06","severity":"warning","cell":"I5","field":"executed","found":null,"expected":null,"message":"","bas'
    'is":"","suggestion":"","indicator":null},{"cell":"H12","field":"score","old":"10","new":"9.5"}],"findings":["sta'
    'tus":"pending","copy":"scored/","kind":"department","title":"部门整体支出绩效自评表（2024年度）""rulebook":null,'
    '"support":null,"total":null,"grade":"良","grade_final":false,"low":null,"high":null,"low_grade":"中","high_grade'
    '":"良","self_total":"100","self_grade":"优","execution":null,"levels":[],"成本指标","weight":"20"{"schema":1,"pa'
    'th":"单位_项目支出绩效自评表.xlsx","sheet":"Sheet1","form":1,"status":"scored","copy":null,"kind":"project","tit'
    'le":"2023年度项目支出绩效自评表","org":"市局","year":2023,"rulebook":"national-2020","support":"filed","total":"'
    '95.00","grade":"优","grade_final":true,"low":"95.00","high":"95.00","low_grade":"优","high_grade":"优","self_tot'
    'al":"98.00","self_grade":null,"execution":{"budget":"100.00","executed":"95.00","rate":"95.00%","weight":"10","s'
    'core":"9.50","low":"9.50","high":"9.50","self_rate":"95.00%","self_score":"9.50","status":"ruled","method":"exec'
    'ution","basis":"执行率 95.00/100.00 = 95.00%，10×95.00%，不超过10分；依据：财预〔2020〕10号：预算执行率10分（已'
    '见于实际表格）","cell":"I5"},"levels":[{"name":"产出指标","weight":"50","self_score":"50","score":"50"},{"name":'
    '"效益指标","weight":"30","self_score":"30","score":"30"},{"name":"满意度指标","weight":"10","self_score":"10","s'
    'core":"10"}],"indicators":[],"replaced":[],"findings":[],"person_rows":0}\0[".xlsx",true]\0{"path":"'
).encode()
"""For ``Packed.head``."""

USUAL_BRIEF = (
    '[["pending","department",null,"良",2,1,null,[["cost",20.0,20.0],["other",null,0.0]]],null,"scored/",12]\0</v></c'
    '><c s="12" t="str"><v>待人工评分</v></c><c s="18"/><c s="19" t="str"><v>中</v></c><c s="14" t="str"><v>scored/部'
    '门整体支出</v></c><c s="4" t="str"><v>中～良</v></c><c s="12" t="str"><v>需人工判断</v></c><c s="13" t="str"><v>'
    '无法计分[["scored","project","优",null,3,2,95.0,[["output",50.0,50.0],["benefit",30.0,30.0],["satisfaction",10.0'
    ',10.0]]],"95.00",null,0]\0<row ht="29">\0<c s="3" t="str"><v>市局</v></c><c s="3" t="str"><v>2023年度项目支出绩'
    '效自评表</v></c><c s="4" t="str"><v>项目支出</v></c><c s="10"><v>2023</v></c><c s="9"><v>0.95</v></c><c s="5"><v'
    '>9.50</v></c><c s="5"><v>50</v></c><c s="5"><v>30</v></c><c s="5"><v>10</v></c><c s="5"/><c s="5"/><c s="17"><v>'
    '95.00</v></c><c s="18" t="str"><v>优</v></c><c s="5"><v>95.00</v></c><c s="5"><v>95.00</v></c><c s="4" t="str"><'
    'v>已定</v></c><c s="5"><v>98.00</v></c><c s="4"/><c s="11"><v>-3.00</v></c><c s="8"><v>0</v></c><c s="8"><v>0</v'
    '></c><c s="8"><v>0</v></c><c s="8"><v>0</v></c><c s="4" t="str"><v>已计分</v></c><c s="3" t="str"><v>national-20'
    '20</v></c><c s="3" t="str"><v>已见于实际表格</v></c><c s="3" t="str"><v>Sheet1</v></c><c s="3" t="str"><v>.xlsx<'
    '/v></c></row>\0<row ht="42"><c s="3" t="str"><v>市局</v></c><c s="3" t="str"><v>2023年度项目支出绩效自评表</v></'
    'c><c s="10"><v>2023</v></c><c s="7"><v>100.00</v></c><c s="7"><v>95.00</v></c><c s="9"><v>0.95</v></c><c s="9"><'
    'v>0.95</v></c><c s="6"><v>10</v></c><c s="5"><v>9.50</v></c><c s="5"><v>9.50</v></c><c s="4" t="str"><v>按规则计'
    '分</v></c><c s="3" t="str"><v>执行率 95.00/100.00 = 95.00%，10×95.00%，不超过10分；依据：财预〔2020〕10号：预算'
    '执行率10分（已见于实际表格）</v></c><c s="4" t="str"><v>I5</v></c><c s="3" t="str"><v>Sheet1</v></c><c s="3" t="'
    'str"><v>单位_项目支出绩效自评表.xlsx</v></c></row>\0\0'
).encode()
"""For ``Packed.brief``."""
